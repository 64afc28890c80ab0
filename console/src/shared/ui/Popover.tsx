import { useEffect, useId, useRef, useState, type ReactNode } from 'react';
import { place } from './Tip';

/** A small panel behind a button: Escape, a click beside it and a link in it close; the focus returns to the button. */
export function Popover(props: { label: string; button: ReactNode; children: ReactNode; className?: string }) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = panel.current;
    if (!element) return;
    const onToggle = (event: Event) => setOpen((event as ToggleEvent).newState === 'open');
    element.addEventListener('toggle', onToggle);
    return () => element.removeEventListener('toggle', onToggle);
  }, []);
  useEffect(() => {
    if (open && panel.current && button.current) place(panel.current, button.current, 'end');
  }, [open]);
  return (
    <>
      <button ref={button} type="button" className={props.className ?? 'sg-icon-button'} aria-expanded={open} popoverTarget={id}>
        {props.button}
      </button>
      <div ref={panel} id={id} role="group" aria-label={props.label} popover="auto" className="sg-panel" onClick={(event) => (event.target as Element).closest('a') && panel.current?.hidePopover()}>
        {open && props.children}
      </div>
    </>
  );
}
