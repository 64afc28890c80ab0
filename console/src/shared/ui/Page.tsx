import { useEffect, useRef, type ReactNode } from 'react';
import { Link } from 'react-router';

export type Crumb = { text: string; to?: string };

/** Heading, way back and actions of a page; the heading takes the focus when the page changes. */
export function Page(props: { title: string; crumbs?: Crumb[]; tag?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${props.title} · Sandglass`;
  }, [props.title]);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <>
      {props.crumbs && props.crumbs.length > 0 && (
        <nav aria-label={props.title} style={{ marginBottom: 8 }}>
          <ol className="sg-crumbs">
            {props.crumbs.map((crumb) => (
              <li key={crumb.text}>{crumb.to ? <Link to={crumb.to}>{crumb.text}</Link> : crumb.text}</li>
            ))}
          </ol>
        </nav>
      )}
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
