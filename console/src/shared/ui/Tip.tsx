import { cloneElement, useEffect, useId, useRef, useState, type ReactElement, type ReactNode } from 'react';
import { useText } from '../i18n';

const GAP = 6;
const MARGIN = 8;

/** Puts an element of the top layer below its anchor, or above it where there is no room, inside the window. */
export function place(bubble: HTMLElement, anchor: Element, align: 'start' | 'centre' | 'end' = 'centre'): void {
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = bubble;
  const wished = align === 'start' ? box.left : align === 'end' ? box.right - width : box.left + (box.width - width) / 2;
  const left = Math.max(MARGIN, Math.min(window.innerWidth - width - MARGIN, wished));
  const below = box.bottom + GAP + height + MARGIN <= window.innerHeight || box.top < height + GAP + MARGIN;
  bubble.style.left = `${left}px`;
  bubble.style.top = `${below ? box.bottom + GAP : box.top - GAP - height}px`;
}

type Described = { 'aria-describedby'?: string };

/** A sentence about its child, on hover and on focus; Escape puts it away. Without a sentence the child stands alone. */
export function Tip({ text, children }: { text: ReactNode; children: ReactElement<Described> }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const anchor = useRef<HTMLSpanElement>(null);
  const bubble = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const element = bubble.current;
    if (!open || !element || !anchor.current) return;
    element.showPopover?.();
    place(element, anchor.current);
    const close = () => setOpen(false);
    window.addEventListener('scroll', close, { capture: true, passive: true });
    return () => {
      window.removeEventListener('scroll', close, { capture: true });
      if (element.isConnected) element.hidePopover?.();
    };
  }, [open, text]);
  if (!text) return children;
  return (
    <span
      ref={anchor}
      className="sg-tipped"
      onMouseEnter={() => setOpen(true)}
      onMouseLeave={() => setOpen(false)}
      onFocus={() => setOpen(true)}
      onBlur={() => setOpen(false)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !open) return;
        event.stopPropagation();
        setOpen(false);
      }}
    >
      {cloneElement(children, { 'aria-describedby': [children.props['aria-describedby'], id].filter(Boolean).join(' ') })}
      <span ref={bubble} id={id} role="tooltip" popover="manual" className="sg-tip">
        {text}
      </span>
    </span>
  );
}

/** A term of art explained in one sentence. */
export function Help({ text }: { text: string }) {
  const { t } = useText();
  return (
    <Tip text={text}>
      <button type="button" className="sg-help" aria-label={t('common.explain')}>
        ?
      </button>
    </Tip>
  );
}
