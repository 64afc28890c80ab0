/** What a person chose or has not finished, kept on this machine under their account. */
let account = 'local';

/** Whose things are kept from now on. */
export function keepFor(name: string): void {
  account = name;
}

const key = (name: string) => `sandglass.${account}.${name}`;

/** Keep a value; undefined forgets it. Storage may be full or forbidden: then it lasts as long as the page. */
export function keep(name: string, value: unknown): void {
  try {
    if (value === undefined) localStorage.removeItem(key(name));
    else localStorage.setItem(key(name), JSON.stringify(value));
  } catch (error) {
    console.warn(`${name} cannot be kept on this machine: ${String(error)}`);
  }
}

/** What was kept, or the fallback for what was not, or was written by another version and cannot be read. */
export function kept<T>(name: string, fallback: T): T {
  try {
    const text = localStorage.getItem(key(name));
    return text === null ? fallback : (JSON.parse(text) as T);
  } catch {
    return fallback;
  }
}
