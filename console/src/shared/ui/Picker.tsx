import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { useText } from '../i18n';
import { place } from './Tip';

export type Option = { value: string; text: string; note?: ReactNode; why?: string | null };

type Props = {
  options: Option[];
  onPick: (value: string) => void;
  placeholder: string;
  /** Called with what is typed, for lists that the server searches. */
  onSearch?: (typed: string) => void;
  /** Takes a text that is no option, as in a list of own names. */
  onOwn?: (typed: string) => void;
  id?: string;
  'aria-label'?: string;
  'aria-invalid'?: boolean;
  'aria-describedby'?: string;
};

/** A field to search a list and pick from it: typing narrows, arrows move, Enter picks, Escape closes. */
export function Picker({ options, onPick, placeholder, onSearch, onOwn, ...rest }: Props) {
  const { t } = useText();
  const list = useId();
  const [typed, setTyped] = useState('');
  const [open, setOpen] = useState(false);
  const [present, setPresent] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const box = useRef<HTMLUListElement>(null);
  const wanted = typed.trim().toLowerCase();
  const shown = options.filter((option) => option.text.toLowerCase().includes(wanted));
  const at = Math.min(present, shown.length - 1);
  useEffect(() => {
    const element = box.current;
    if (!open || !element || !input.current) return;
    element.showPopover?.();
    element.style.minWidth = `${input.current.offsetWidth}px`;
    place(element, input.current, 'start');
    const follow = (event: Event) => {
      if (!(event.target instanceof Node && element.contains(event.target))) setOpen(false);
    };
    window.addEventListener('scroll', follow, { capture: true, passive: true });
    return () => {
      window.removeEventListener('scroll', follow, { capture: true });
      if (element.isConnected) element.hidePopover?.();
    };
  }, [open, shown.length]);
  useEffect(() => {
    box.current?.children[at]?.scrollIntoView?.({ block: 'nearest' });
  }, [at]);
  const type = (text: string) => {
    setTyped(text);
    setPresent(0);
    setOpen(true);
    onSearch?.(text);
  };
  const pick = (option: Option) => {
    if (option.why) return;
    type('');
    setOpen(false);
    onPick(option.value);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (!open) setOpen(true);
      else setPresent(Math.max(0, Math.min(shown.length - 1, at + (event.key === 'ArrowDown' ? 1 : -1))));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      const exact = shown.find((option) => option.text === typed.trim());
      if (onOwn && typed.trim() && !exact) {
        onOwn(typed.trim());
        type('');
      } else if (open && shown[at]) pick(exact ?? shown[at]);
    } else if (event.key === 'Escape' && open) {
      event.stopPropagation();
      setOpen(false);
    }
  };
  return (
    <>
      <input
        {...rest}
        ref={input}
        className="sg-input sg-wide"
        role="combobox"
        aria-expanded={open}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={open && shown[at] ? `${list}-${at}` : undefined}
        autoComplete="off"
        value={typed}
        placeholder={placeholder}
        onChange={(event) => type(event.target.value)}
        onClick={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
      />
      <ul ref={box} id={list} role="listbox" aria-label={t('common.choices')} popover="manual" className="sg-menu-list sg-options">
        {shown.map((option, index) => (
          <li
            key={option.value}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === at}
            aria-disabled={option.why ? true : undefined}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => pick(option)}
          >
            <span className="sg-grow">{option.text}</span>
            <span className="sg-small sg-secondary">{option.why ?? option.note}</span>
          </li>
        ))}
        {shown.length === 0 && (
          <li role="option" aria-selected={false} aria-disabled className="sg-secondary">
            {onOwn && typed.trim() ? t('common.enterAdds', { text: typed.trim() }) : t('common.noMatch')}
          </li>
        )}
      </ul>
    </>
  );
}
