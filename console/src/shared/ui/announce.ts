const EVERY = 5000;
let region: HTMLElement | null = null;
let last = 0;
let waiting: ReturnType<typeof setTimeout> | undefined;

/** Says something to a screen reader, at most once in five seconds: the latest stands for what came in between. */
export function announce(text: string): void {
  clearTimeout(waiting);
  const say = () => {
    last = Date.now();
    if (!region) {
      region = document.createElement('div');
      region.className = 'sg-sr';
      region.setAttribute('aria-live', 'polite');
      region.setAttribute('role', 'status');
      document.body.append(region);
    }
    region.textContent = text;
  };
  const wait = last + EVERY - Date.now();
  if (wait <= 0) say();
  else waiting = setTimeout(say, wait);
}
