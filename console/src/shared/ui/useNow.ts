import { useEffect, useState } from 'react';

/** The present time in milliseconds, ticking once a second while `live` and the page is seen. */
export function useNow(live: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!live) return;
    const timer = setInterval(() => {
      if (!document.hidden) setNow(Date.now());
    }, 1000);
    return () => clearInterval(timer);
  }, [live]);
  return now;
}
