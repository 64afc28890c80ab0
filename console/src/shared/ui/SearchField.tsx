import { useEffect, useRef, useState } from 'react';
import { Input } from './kit';

/** A search whose question is asked when the typing rests. */
export function SearchField(props: { value: string; label: string; onChange: (value: string) => void }) {
  const { value, label } = props;
  const [typed, setTyped] = useState(value);
  const asked = useRef(value);
  const change = useRef(props.onChange);
  useEffect(() => {
    change.current = props.onChange;
  });
  useEffect(() => {
    // The address changed by itself: Back, or "clear filters".
    if (value !== asked.current) {
      asked.current = value;
      setTyped(value);
    }
  }, [value]);
  useEffect(() => {
    if (typed === asked.current) return;
    const timer = setTimeout(() => {
      asked.current = typed;
      change.current(typed);
    }, 300);
    return () => clearTimeout(timer);
  }, [typed]);
  return <Input type="search" value={typed} placeholder={label} aria-label={label} maxLength={200} onChange={(event) => setTyped(event.target.value)} />;
}
