import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { place } from './Tip';

export type MenuItem = {
  text: ReactNode;
  onSelect: () => void;
  danger?: boolean;
  /** Why it cannot be chosen now; shown below the item. */
  why?: string | false | null;
};

/** Rare and dangerous actions behind one button; arrows move, Escape and a click beside it close. */
export function Menu(props: { label: string; items: (MenuItem | false | null | undefined)[]; children?: ReactNode; align?: 'start' | 'end' }) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const items = props.items.filter((item): item is MenuItem => Boolean(item));
  const { align = 'end' } = props;
  useEffect(() => {
    const element = list.current;
    if (!element) return;
    const onToggle = (event: Event) => setOpen((event as ToggleEvent).newState === 'open');
    element.addEventListener('toggle', onToggle);
    return () => element.removeEventListener('toggle', onToggle);
  }, []);
  useEffect(() => {
    if (!open || !list.current || !button.current) return;
    place(list.current, button.current, align);
    list.current.querySelector<HTMLElement>('[role=menuitem]')?.focus();
    const close = () => list.current?.hidePopover();
    window.addEventListener('scroll', close, { passive: true });
    return () => window.removeEventListener('scroll', close);
  }, [open, align]);
  const onKeyDown = (event: KeyboardEvent) => {
    const all = [...(list.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
    const present = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: present + 1, ArrowUp: present - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === 'Tab') list.current?.hidePopover();
    if (to === undefined || all.length === 0) return;
    event.preventDefault();
    all[to % all.length]!.focus();
  };
  if (items.length === 0) return null;
  return (
    <>
      <button ref={button} type="button" className="sg-icon-button" aria-label={props.label} aria-haspopup="menu" aria-expanded={open} popoverTarget={id}>
        {props.children ?? '⋯'}
      </button>
      <div ref={list} id={id} role="menu" aria-label={props.label} popover="auto" className="sg-menu-list" onKeyDown={onKeyDown}>
        {open &&
          items.map((item, index) => (
            <button
              key={index}
              type="button"
              role="menuitem"
              tabIndex={-1}
              data-danger={item.danger}
              aria-disabled={item.why ? true : undefined}
              onClick={() => {
                if (item.why) return;
                list.current?.hidePopover();
                item.onSelect();
              }}
            >
              {item.text}
              {item.why && <span className="sg-small sg-secondary">{item.why}</span>}
            </button>
          ))}
      </div>
    </>
  );
}
