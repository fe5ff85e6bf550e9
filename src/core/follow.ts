/**
 * Following a table whose rows get growing ids, without missing a row and without reading one twice. An id is taken before its row
 * is committed, so the newest id says nothing of those below it: each one that is absent is a *gap*, and asked for again until
 * whoever took it must have ended.
 */
export interface Followed {
  /** The highest id that was read. */
  readonly last: number;
  /** Ids below it that were absent. */
  readonly gaps: readonly Gap[];
}

export interface Gap {
  readonly id: number;
  /**
   * Whoever took the id has a transaction id below this one; null until it was looked at twice. An id may be taken a moment before
   * its transaction has one, so only the second look knows.
   */
  readonly before: bigint | null;
}

/** What `pg_current_snapshot()` says at a look: all transactions below `xmin` are over, none from `xmax` on had begun. */
export interface Look {
  readonly xmin: bigint;
  readonly xmax: bigint;
}

/** So many gaps are remembered, the newest: a sequence that jumped far ahead leaves no more than this. */
export const MOST_GAPS = 10_000;

/**
 * Where to go on after a look.
 * @param ids what it read: some of the gaps, and the next ids after `last`
 */
export function follow({ last, gaps }: Followed, ids: readonly number[], look: Look): Followed {
  const read = new Set(ids);
  const open: Gap[] = gaps
    .filter(({ id, before }) => !read.has(id) && !(before !== null && look.xmin >= before))
    .map(({ id, before }) => ({ id, before: before ?? look.xmax }));
  const newest = Math.max(last, ...ids);
  for (let id = Math.max(last + 1, newest - MOST_GAPS); id < newest; id += 1) {
    if (!read.has(id)) open.push({ id, before: null });
  }
  return { last: newest, gaps: open.slice(-MOST_GAPS) };
}

/** The same of rows that are known by when something became of them, which grows no more steadily than ids do. */
export interface FollowedTimes {
  /** Everything until then was read. */
  readonly from: string;
  /** When it was looked at since, the oldest first. */
  readonly marks: readonly { readonly at: string; readonly before: bigint | null }[];
}

/** A transaction that stays open holds `from` back by so many looks: those that write what is followed are over long before. */
export const MOST_MARKS = 120;

/**
 * From when on to read at the next look. What is read again in between is told apart by whoever reads.
 * @param look with the time of the database before it
 */
export function followTimes({ from, marks }: FollowedTimes, look: Look & { readonly at: string }): FollowedTimes {
  const known: FollowedTimes['marks'] = [
    ...marks.map(({ at, before }) => ({ at, before: before ?? look.xmax })),
    { at: look.at, before: null },
  ];
  const past = known.filter(
    ({ before }, n) => (before !== null && look.xmin >= before) || n < known.length - MOST_MARKS,
  );
  const kept = known.filter((mark) => !past.includes(mark));
  return { from: past.at(-1)?.at ?? from, marks: kept };
}
