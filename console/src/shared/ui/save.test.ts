import { expect, test } from 'vitest';
import { csvText } from './save';

test('a table as CSV keeps commas, quotes and lines, and is no formula', () => {
  expect(csvText(['name', 'count'], [['a,b', 1], ['say "hi"', null], ['two\nlines', 2], ['=1+1', -3]])).toBe(
    'name,count\r\n"a,b",1\r\n"say ""hi""",\r\n"two\nlines",2\r\n\'=1+1,-3',
  );
});
