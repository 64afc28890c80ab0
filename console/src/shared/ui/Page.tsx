import { useEffect, useRef, useState, type ReactNode } from 'react';
import { createPortal } from 'react-dom';
import { Link } from 'react-router';
import { useText } from '../i18n';

export type Crumb = { text: string; to?: string };

/** Where the shell shows the way back of the present page. */
export const CRUMBS = 'sg-crumbs';

type Props = {
  title: string;
  crumbs?: Crumb[];
  tag?: ReactNode;
  actions?: ReactNode;
  /** Name of the page for the browser's tab and history, where the heading alone would not tell it. */
  tab?: string;
  children: ReactNode;
};

/** Heading, way back and actions of a page; the heading takes the focus when the page changes. */
export function Page(props: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${props.tab ?? props.title} · Sandglass`;
  }, [props.title, props.tab]);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <>
      {props.crumbs && props.crumbs.length > 0 && <Crumbs items={props.crumbs} />}
      <div className="sg-page-head">
        <div className="sg-row">
          <h1 ref={heading} tabIndex={-1}>
            {props.title}
          </h1>
          {props.tag}
        </div>
        {props.actions && <div className="sg-row">{props.actions}</div>}
      </div>
      {props.children}
    </>
  );
}

function Crumbs({ items }: { items: Crumb[] }) {
  const { t } = useText();
  const [target, setTarget] = useState<HTMLElement | null>(null);
  useEffect(() => setTarget(document.getElementById(CRUMBS)), []);
  const list = (
    <nav aria-label={t('common.crumbs')} className="sg-crumbs">
      <ol>
        {items.map((crumb, index) => (
          <li key={crumb.text} title={crumb.text} aria-current={index === items.length - 1 ? 'page' : undefined}>
            {crumb.to ? <Link to={crumb.to}>{crumb.text}</Link> : crumb.text}
          </li>
        ))}
      </ol>
    </nav>
  );
  return target ? createPortal(list, target) : null;
}
