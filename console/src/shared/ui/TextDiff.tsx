/** Letters that are compared one by one; what comes behind is compared as a whole. */
const MOST = 400;

/** Two texts with what differs marked, letter by letter over the longest common part. */
export function diff(one: string, other: string): { text: string; same: boolean }[][] {
  const [whole, wholeOther] = [[...one], [...other]];
  const a = whole.slice(0, MOST);
  const b = wholeOther.slice(0, MOST);
  const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      table[i]![j] = a[i] === b[j] ? table[i + 1]![j + 1]! + 1 : Math.max(table[i + 1]![j]!, table[i]![j + 1]!);
  const left: { text: string; same: boolean }[] = [];
  const right: { text: string; same: boolean }[] = [];
  const put = (list: typeof left, letter: string, same: boolean) => {
    const last = list.at(-1);
    if (last && last.same === same) last.text += letter;
    else list.push({ text: letter, same });
  };
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      put(left, a[i++]!, true);
      put(right, b[j++]!, true);
    } else if (j >= b.length || (i < a.length && table[i + 1]![j]! >= table[i]![j + 1]!)) put(left, a[i++]!, false);
    else put(right, b[j++]!, false);
  }
  const [rest, restOther] = [whole.slice(MOST).join(''), wholeOther.slice(MOST).join('')];
  if (rest) put(left, rest, rest === restOther);
  if (restOther) put(right, restOther, rest === restOther);
  return [left, right];
}

export function Marked({ parts }: { parts: { text: string; same: boolean }[] }) {
  return <>{parts.map((part, index) => (part.same ? <span key={index}>{part.text}</span> : <mark key={index}>{part.text}</mark>))}</>;
}
