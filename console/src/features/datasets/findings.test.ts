import { expect, test } from 'vitest';
import type { Schemas } from '../../shared/api/client';
import { groupFindings } from './FindingGroups';

const finding = (code: string, severity: 'error' | 'warning' | 'note', count = 1) =>
  ({ code, severity, count, message: code, outcome: '', file: 'a', line: null, label: null }) as Schemas['FindingOut'];

test('findings of one kind are one line, the gravest and then the most frequent first', () => {
  const groups = groupFindings([
    finding('twin', 'note', 3),
    finding('broken', 'warning'),
    finding('broken', 'warning', 30),
    finding('orphan', 'warning'),
    finding('empty', 'error'),
  ]);
  expect(groups.map((group) => [group.code, group.count])).toEqual([
    ['empty', 1],
    ['broken', 31],
    ['orphan', 1],
    ['twin', 3],
  ]);
});
