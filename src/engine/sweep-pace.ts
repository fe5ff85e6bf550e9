import { pause } from './wake.ts';

/** Of the first page: small, as nobody knows yet what a row costs here. */
const FIRST_PAGE = 500;
const LEAST_PAGE = 50;
/** Not more: where everybody differs, a page is folded in the statement that finds it. */
const MOST_PAGE = 1_000;
/** A statement shall take about this long, in ms: short enough that whoever waits for a core hardly waits. */
const PAGE_MS = 20;

/**
 * What one row may take, rests included, in ms: 1,000,000 users and as many contacts in 48 s, so that no core is taken whole as
 * long as the machine is quick enough.
 */
const ROW_MS = { compare: 0.036, absent: 0.012 } as const;
/** After a page that took longer than that, a rest of this share. */
const LEAST_REST = 0.15;

/** What a page does: compare rows with what is desired, or look for contacts whose rows are gone. */
export type PageKind = keyof typeof ROW_MS;

/** @returns the size of the next page, after one of `size` rows that took `ms` */
export function nextPageSize(size: number, ms: number): number {
  // One page that had to wait says little, so it changes by no more than half or double.
  const aimed = Math.round(size * Math.min(2, Math.max(0.5, PAGE_MS / Math.max(ms, 1))));
  return Math.min(MOST_PAGE, Math.max(LEAST_PAGE, aimed));
}

/** @returns how long to rest after a page of `rows` rows that took `ms`, in ms */
export function restAfter(kind: PageKind, rows: number, ms: number): number {
  return Math.max(rows * ROW_MS[kind] - ms, ms * LEAST_REST);
}

/** Runs one page of the size it is told. */
export type Pacer = <P extends { readonly scanned: number }>(run: (size: number) => Promise<P>) => Promise<P>;

/** Runs pages of a fitting size, each with a rest behind it, so that the app's own statements find a free core and a free disk. */
export function createPacer(kind: PageKind, signal: AbortSignal): Pacer {
  let size = FIRST_PAGE;
  return async (run) => {
    const started = performance.now();
    const page = await run(size);
    const ms = performance.now() - started;
    size = nextPageSize(size, ms);
    await pause(restAfter(kind, page.scanned, ms), signal);
    return page;
  };
}
