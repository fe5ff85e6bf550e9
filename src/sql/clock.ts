import type { Sql } from './port.ts';

/** The clock is read anew after this long, as this machine may have slept through some of it. */
const GOOD_FOR_MS = 60_000;
/** And sooner, while it could not be read. */
const AGAIN_MS = 1_000;

/**
 * The database's clock, for what others compare with theirs: that of the machine a worker runs on may be wrong. It is carried on
 * from when it was last read by a clock that nobody sets; where it can't be read, this machine's is better than none.
 * @returns a function that gives milliseconds since the epoch; never throws
 */
export async function openClock(sql: Sql): Promise<() => number> {
  let known = { at: performance.now(), time: Date.now(), goodForMs: 0 };
  let reading: Promise<void> | undefined;
  const read = async (): Promise<void> => {
    const askedAt = performance.now();
    try {
      const [row] = await sql.query<{ ms: string }>('select extract(epoch from clock_timestamp()) * 1000 as ms');
      const at = performance.now();
      known = { at, time: Number(row?.ms) + (at - askedAt) / 2, goodForMs: GOOD_FOR_MS };
    } catch {
      const at = performance.now();
      known = { at, time: known.time + at - known.at, goodForMs: AGAIN_MS };
    }
  };
  await read();
  return () => {
    const now = performance.now();
    if (now - known.at > known.goodForMs) {
      reading ??= read().finally(() => {
        reading = undefined;
      });
    }
    return known.time + now - known.at;
  };
}
