/** Which tabs are open: edits of one that is gone are taken up by another. Works on plain HTTP, without Web Locks. */
import { uuid } from '../../../shared/annotation/ids';

export const tab = uuid();
const CHANNEL = 'sandglass-annotation-tabs';
const ANSWER_MS = 250;

let channel: BroadcastChannel | null = null;

/** Say that this tab is open, as long as it is. */
export function announce(): void {
  if (channel) return;
  channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener('message', (event: MessageEvent<{ ask?: true }>) => {
    if (event.data.ask) channel!.postMessage({ alive: tab });
  });
  // The browser gives the lock back when the tab ends, however it ends.
  if (navigator.locks) void navigator.locks.request(`${CHANNEL}.${tab}`, () => new Promise<never>(() => undefined));
}

/** Ids of tabs that are open now, this one included. */
export async function openTabs(): Promise<Set<string>> {
  if (navigator.locks) {
    const { held } = await navigator.locks.query();
    return new Set([tab, ...(held ?? []).map((lock) => lock.name ?? '').filter((name) => name.startsWith(CHANNEL)).map((name) => name.slice(CHANNEL.length + 1))]);
  }
  return new Promise((resolve) => {
    const found = new Set([tab]);
    const asking = new BroadcastChannel(CHANNEL);
    asking.addEventListener('message', (event: MessageEvent<{ alive?: string }>) => {
      if (event.data.alive) found.add(event.data.alive);
    });
    asking.postMessage({ ask: true });
    setTimeout(() => {
      asking.close();
      resolve(found);
    }, ANSWER_MS);
  });
}
