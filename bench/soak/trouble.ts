import { passed } from '../poll.ts';
import type { Mark } from './plot.ts';

/** What is done to the system while it works. */
export interface Trouble {
  /** So many seconds into each round. */
  readonly at: number;
  /** Only in each so-manieth round; in all when absent. */
  readonly every?: number | undefined;
  readonly what: string;
  run(): Promise<void>;
}

/** Seconds of a round, which is the same again and again, so that each part of a run sees as much trouble. */
export const ROUND_S = 60;

/** Does one thing after another until the signal aborts. @returns what was done, and when; it grows meanwhile */
export function makeTrouble(
  troubles: readonly Trouble[],
  signal: AbortSignal,
): { readonly marks: readonly Mark[]; readonly done: Promise<void> } {
  const marks: Mark[] = [];
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1_000;
  const run = async (): Promise<void> => {
    for (let round = 0; !signal.aborted; round += 1) {
      for (const trouble of troubles) {
        const { at, every = 1, what } = trouble;
        if (round % every !== every - 1) continue;
        while (seconds() < round * ROUND_S + at && !signal.aborted) await passed(50);
        if (signal.aborted) return;
        marks.push({ at: seconds(), what });
        await trouble.run();
      }
      while (seconds() < (round + 1) * ROUND_S && !signal.aborted) await passed(50);
    }
  };
  return { marks, done: run() };
}
