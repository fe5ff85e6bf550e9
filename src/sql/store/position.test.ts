import { expect, test } from 'vitest';
import { createPosition } from './position.ts';

const FIRST = '2026-01-01T00:00:00.000001Z';
const LATER = '2026-01-01T00:00:00.000002Z';

test('the latest position is kept, whatever is seen afterwards', () => {
  const position = createPosition();
  expect(position).toMatchObject({ lsn: null, boundAt: null });
  position.saw('0/FF', FIRST);
  position.saw('1/0', FIRST);
  position.saw('0/FFFFFFFF', FIRST);
  position.saw('0/A', null);
  expect(position).toMatchObject({ lsn: '1/0', boundAt: FIRST });
});

test('positions of before a later binding say nothing, and an earlier binding is not believed', () => {
  const position = createPosition();
  position.saw('A/0', FIRST);
  position.saw('2/0', LATER);
  position.saw('B/0', FIRST);
  expect(position).toMatchObject({ lsn: '2/0', boundAt: LATER });
});
