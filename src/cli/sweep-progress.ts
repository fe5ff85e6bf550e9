import type { TextStream } from './io.ts';
import { createProgress } from './progress.ts';

/** What a sweep shows while it runs. */
export interface SweepProgress {
  /** @param read rows read so far */
  rows(this: void, read: number): void;
  /** Another sweep is at work. */
  waiting(): void;
  end(): void;
}

/** @param out where progress goes; never standard output, which has the report */
export function createSweepProgress(out: TextStream): SweepProgress {
  const progress = createProgress(out);
  let startedAt: number | undefined;
  return {
    rows(read) {
      const now = performance.now();
      startedAt ??= now;
      const seconds = (now - startedAt) / 1000;
      const rate = seconds > 0 ? `, ${Math.round(read / seconds).toLocaleString('en-US')}/s` : '';
      progress.show(`${read.toLocaleString('en-US')} rows read${rate}`);
    },
    waiting: () => progress.step('Another sweep is at work; this one starts when that has ended.'),
    end: () => progress.done(),
  };
}
