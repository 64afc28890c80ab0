/** Small parts of every page: they add the roles, names and keys that the component library leaves out. */
import { Button, MessagePlugin } from 'tdesign-react';
import {
  useEffect,
  useId,
  useRef,
  type ButtonHTMLAttributes,
  type ComponentProps,
  type InputHTMLAttributes,
  type ReactElement,
  type ReactNode,
  type SelectHTMLAttributes,
} from 'react';
import { cloneElement } from 'react';
import { Link, type LinkProps } from 'react-router';
import { useText } from '../i18n';
import { Help, Tip } from './Tip';

export { Button, Help, Tip };

type ButtonProps = ComponentProps<typeof Button> & {
  /** Why it cannot be used now: it is off, still takes the focus, and says so. */
  why?: string | false | null;
};

function Act({ why, ...props }: ButtonProps) {
  // Without a tag the library draws a disabled button as a div, which no keyboard reaches.
  if (!why) return <Button tag="button" {...props} />;
  return (
    <Tip text={why}>
      <Button tag="button" {...props} type="button" disabled={false} onClick={undefined} aria-disabled className={`sg-off ${props.className ?? ''}`} />
    </Tip>
  );
}

/** The one button of a page that leads on. */
export const Primary = (props: ButtonProps) => <Act theme="primary" {...props} />;
export const Plain = (props: ButtonProps) => <Act variant="outline" theme="default" {...props} />;
export const Danger = (props: ButtonProps) => <Act variant="outline" theme="danger" {...props} />;
export const TextButton = (props: ButtonProps) => <Act variant="text" theme="primary" size="small" {...props} />;

/** A link that looks like a button: it leads to another page and can be opened beside this one. */
export function LinkButton({ primary, small, why, ...props }: LinkProps & { primary?: boolean; small?: boolean; why?: string | false | null }) {
  const kind = primary ? 't-button--theme-primary t-button--variant-base' : 't-button--theme-default t-button--variant-outline';
  const className = `t-button ${kind} t-button--shape-rectangle ${small ? 't-size-s' : ''}`;
  if (why)
    return (
      <Tip text={why}>
        <button type="button" aria-disabled className={`${className} sg-off`}>
          <span className="t-button__text">{props.children}</span>
        </button>
      </Tip>
    );
  return (
    <Link {...props} className={className}>
      <span className="t-button__text">{props.children}</span>
    </Link>
  );
}

export function Card({ title, extra, id, children }: { title?: ReactNode; extra?: ReactNode; id?: string; children: ReactNode }) {
  return (
    <section className="sg-card" id={id}>
      {(title || extra) && (
        <header>
          <h2>{title}</h2>
          {extra && <div className="sg-row">{extra}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

export function Figure({ label, value, note, help }: { label: string; value: ReactNode; note?: ReactNode; help?: string }) {
  return (
    <div>
      <div className="sg-secondary sg-small sg-label">
        {label}
        {help && <Help text={help} />}
      </div>
      <div className="sg-figure">{value}</div>
      {note && <div className="sg-secondary sg-small">{note}</div>}
    </div>
  );
}

/** Facts one below the other, or side by side where there is room for it. */
export function Facts({ items, wide }: { items: [string, ReactNode][]; wide?: boolean }) {
  return (
    <dl className={wide ? 'sg-facts sg-facts-wide' : 'sg-facts'}>
      {items.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A form row: label, help, control, and the error tied to it. */
export function Field(props: {
  label: ReactNode;
  help?: string;
  hint?: ReactNode;
  error?: string | null;
  children: ReactElement<{ id?: string; 'aria-invalid'?: boolean; 'aria-describedby'?: string }>;
}) {
  const id = useId();
  const note = `${id}-note`;
  return (
    <div className="sg-field">
      <div className="sg-label">
        <label htmlFor={id}>{props.label}</label>
        {props.help && <Help text={props.help} />}
      </div>
      {cloneElement(props.children, {
        id,
        'aria-invalid': props.error ? true : undefined,
        'aria-describedby': props.error || props.hint ? note : undefined,
      })}
      {(props.error || props.hint) && (
        <div id={note} className={props.error ? 'sg-error sg-small' : 'sg-secondary sg-small'}>
          {props.error ?? props.hint}
        </div>
      )}
    </div>
  );
}

/** Several choices under one heading. */
export function Group({ label, help, plain, children }: { label: string; help?: string; plain?: boolean; children: ReactNode }) {
  return (
    <fieldset className="sg-field">
      <legend className="sg-sr">{label}</legend>
      <div className="sg-label">
        <span aria-hidden>{label}</span>
        {help && <Help text={help} />}
      </div>
      <div className={plain ? undefined : 'sg-choices'}>{children}</div>
    </fieldset>
  );
}

export function Input({ className, ...props }: InputHTMLAttributes<HTMLInputElement>) {
  return <input className={`sg-input ${className ?? ''}`} {...props} />;
}

export function Select({ className, ...props }: SelectHTMLAttributes<HTMLSelectElement>) {
  return <select className={`sg-select ${className ?? ''}`} {...props} />;
}

export function Check(props: InputHTMLAttributes<HTMLInputElement> & { label: ReactNode; kind?: 'checkbox' | 'radio' }) {
  const { label, kind = 'checkbox', ...rest } = props;
  return (
    <label className="sg-choice">
      <input type={kind} {...rest} />
      <span>{label}</span>
    </label>
  );
}

export function Chip(props: ButtonHTMLAttributes<HTMLButtonElement> & { on: boolean }) {
  const { on, ...rest } = props;
  return <button type="button" className="sg-chip" aria-pressed={on} {...rest} />;
}

export function Bar({ value, label }: { value: number; label: string }) {
  const whole = Math.round(Math.min(1, Math.max(0, value)) * 100);
  return (
    <div className="sg-bar" role="progressbar" aria-valuenow={whole} aria-valuemin={0} aria-valuemax={100} aria-label={label}>
      <div style={{ width: `${whole}%` }} />
    </div>
  );
}

export function Alert(props: { theme: 'info' | 'success' | 'warning' | 'danger'; title: ReactNode; children?: ReactNode; extra?: ReactNode }) {
  return (
    <div className="sg-alert" data-theme={props.theme} role={props.theme === 'danger' ? 'alert' : 'status'}>
      <div className="sg-grow">
        <div style={{ fontWeight: 600 }}>{props.title}</div>
        {props.children}
      </div>
      {props.extra}
    </div>
  );
}

export function Empty({ title, text, children }: { title: string; text?: string; children?: ReactNode }) {
  return (
    <div className="sg-empty">
      <p className="sg-empty-title">{title}</p>
      {text && <p className="sg-secondary">{text}</p>}
      {children}
    </div>
  );
}

export function Skeleton({ rows = 4 }: { rows?: number }) {
  const { t } = useText();
  return (
    <div className="sg-stack-s" role="status" aria-label={t('common.loading')}>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="sg-skeleton" style={{ width: `${95 - ((row * 17) % 40)}%` }} />
      ))}
    </div>
  );
}

/** A question before something that cannot be undone: names the thing and the consequences. */
export function Dialog(props: { title: string; open: boolean; onClose: () => void; children: ReactNode; footer: ReactNode; wide?: boolean }) {
  const element = useRef<HTMLDialogElement>(null);
  const title = useId();
  useEffect(() => {
    const dialog = element.current;
    if (!dialog) return;
    if (props.open && !dialog.open) dialog.showModal();
    if (!props.open && dialog.open) dialog.close();
  }, [props.open]);
  return (
    <dialog ref={element} className="sg-dialog" data-wide={props.wide} aria-labelledby={title} onClose={props.onClose}>
      {props.open && (
        <>
          <h2 id={title} style={{ marginBottom: 12 }}>
            {props.title}
          </h2>
          {props.children}
          <footer>{props.footer}</footer>
        </>
      )}
    </dialog>
  );
}

/** Where messages appear: a live region, so that they are read out and belong to the page. */
function messages(role: 'status' | 'alert'): HTMLElement {
  const id = `sg-messages-${role}`;
  const there = document.getElementById(id);
  if (there) return there;
  const made = document.createElement('div');
  made.id = id;
  made.setAttribute('role', role);
  document.body.append(made);
  return made;
}

export const say = {
  done: (text: string) => void MessagePlugin.success({ content: text, duration: 3000, attach: () => messages('status') }),
  failed: (text: string) => void MessagePlugin.error({ content: text, duration: 8000, closeBtn: true, attach: () => messages('alert') }),
};

/** Copies text; works on plain HTTP too, where browsers withhold the clipboard. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

export function CopyButton({ text }: { text: string }) {
  const { t } = useText();
  return (
    <Plain size="small" onClick={() => void copyText(text).then(() => say.done(t('common.copied')))}>
      {t('common.copy')}
    </Plain>
  );
}
