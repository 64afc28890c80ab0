import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { en, zh } from './catalogues';

type Tree = { [key: string]: string | Tree };
const flat = (tree: Tree, prefix = ''): [string, string][] =>
  Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[prefix + key, value] as [string, string]] : flat(value, `${prefix}${key}.`),
  );
const single = (key: string) => key.replace(/_(one|other)$/, '');
const english = new Map(flat(en));
const chinese = new Map(flat(zh));

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sources(path);
    return /\.tsx?$/.test(name) && !name.includes('.test.') && name !== 'schema.ts' ? [readFileSync(path, 'utf-8')] : [];
  });
}
const code = sources(join(__dirname, '../..')).join('\n');

test('both catalogues have the same keys', () => {
  const names = (catalogue: Map<string, string>) => [...new Set([...catalogue.keys()].map(single))].sort();
  expect(names(chinese)).toEqual(names(english));
});

test('every key that the code uses exists', () => {
  const used = [...code.matchAll(/\bt\(\s*'([\w.]+)'/g)].map((match) => match[1]!);
  const known = new Set([...english.keys()].map(single));
  expect(used.length).toBeGreaterThan(50);
  expect(used.filter((key) => !known.has(key))).toEqual([]);
});

test('no key is left that nothing uses', () => {
  // Keys made at run time are used by their prefix, as in t(`status.run.${code}`).
  const prefixes = [...code.matchAll(/`([\w.]+\.)\$\{/g)].map((match) => match[1]!);
  const unused = [...english.keys()]
    .map(single)
    .filter((key) => !code.includes(`'${key}'`) && !prefixes.some((prefix) => key.startsWith(prefix)));
  expect(unused).toEqual([]);
});

test('both sentences of a key name the same values', () => {
  const values = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]).sort();
  for (const [key, text] of english) {
    const other = chinese.get(key) ?? chinese.get(single(key)) ?? chinese.get(`${single(key)}_other`);
    if (!key.endsWith('_one')) expect([key, values(other ?? '')]).toEqual([key, values(text)]);
  }
});

test('Chinese sentences use Chinese punctuation', () => {
  const wrong = [...chinese].filter(([, text]) => /[一-鿿][,;:?!](\s|$)/.test(text) || /[一-鿿]\.(\s|$)/.test(text));
  expect(wrong).toEqual([]);
});
