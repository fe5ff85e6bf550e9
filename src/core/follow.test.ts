import fc from 'fast-check';
import { expect, test } from 'vitest';
import { follow, type Followed, followTimes, type FollowedTimes, MOST_GAPS, MOST_MARKS } from './follow.ts';

/** A writer takes an id, then a transaction id, then commits or rolls back; in between others do the same, and somebody looks. */
type Step = { readonly does: 'take' | 'begin' | 'commit' | 'roll back' | 'look'; readonly who: number };
const steps = fc.array(
  fc.record({
    does: fc.constantFrom<Step['does']>('take', 'begin', 'commit', 'commit', 'roll back', 'look'),
    who: fc.nat(5),
  }),
  { maxLength: 120 },
);

test('every row that is committed is read once, whatever the order of the commits', () => {
  fc.assert(
    fc.property(steps, (played) => {
      let [nextId, nextXid] = [1, 100n];
      const open = new Map<number, { id: number; xid: bigint | null }>();
      const rows = new Set<number>();
      const read: number[] = [];
      let at: Followed = { last: 0, gaps: [] };
      const look = (): void => {
        const gaps = new Set(at.gaps.map(({ id }) => id));
        const ids = [...rows].filter((id) => id > at.last || gaps.has(id));
        const xids = [...open.values()].flatMap(({ xid }) => (xid === null ? [] : [xid]));
        const xmin = xids.reduce((least, xid) => (xid < least ? xid : least), nextXid);
        read.push(...ids);
        at = follow(at, ids, { xmin, xmax: nextXid });
        // An id is taken and its transaction begun within one statement: never two looks apart.
        for (const writer of open.values()) if (writer.xid === null) writer.xid = nextXid++;
      };
      for (const { does, who } of played) {
        const writer = open.get(who);
        if (does === 'look') look();
        else if (writer === undefined) {
          if (does === 'take') open.set(who, { id: nextId++, xid: null });
        } else if (does === 'begin') writer.xid ??= nextXid++;
        else if (does !== 'take') {
          open.delete(who);
          if (does === 'commit') rows.add(writer.id);
        }
      }
      for (const { id } of open.values()) rows.add(id);
      open.clear();
      look();
      expect(read.toSorted((a, b) => a - b)).toEqual([...rows].toSorted((a, b) => a - b));
      look();
      look();
      expect(at.gaps).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test('a sequence that jumped leaves no more gaps than are remembered', () => {
  const { last, gaps } = follow({ last: 5, gaps: [] }, [50_000_000], { xmin: 1n, xmax: 1n });
  expect([last, gaps.length, gaps.at(-1)?.id]).toEqual([50_000_000, MOST_GAPS, 49_999_999]);
});

test('times go on only where everybody who may have written before is over', () => {
  let at: FollowedTimes = { from: '0', marks: [] };
  const look = (time: string, xmin: bigint, xmax: bigint): void => {
    at = followTimes(at, { at: time, xmin, xmax });
  };
  look('1', 10n, 12n);
  look('2', 10n, 13n);
  expect(at.from).toBe('0');
  look('3', 12n, 14n);
  expect(at.from).toBe('0');
  look('4', 13n, 14n);
  expect(at.from).toBe('1');
  look('5', 14n, 14n);
  expect([at.from, at.marks.map((mark) => mark.at)]).toEqual(['4', ['5']]);
});

test('a transaction that never ends holds times back by so many looks', () => {
  let at: FollowedTimes = { from: '', marks: [] };
  for (let n = 1; n <= MOST_MARKS + 5; n += 1) {
    at = followTimes(at, { at: String(n).padStart(5, '0'), xmin: 1n, xmax: BigInt(n + 1) });
  }
  expect([at.from, at.marks.length]).toEqual(['00005', MOST_MARKS]);
});
