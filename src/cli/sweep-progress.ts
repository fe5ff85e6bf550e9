import type { TextStream } from './io.ts';

/** What a sweep shows while it runs: a line that is written over on a terminal, plain lines elsewhere. */
export interface SweepProgress {
  /** @param read rows read so far */
  rows(this: void, read: number): void;
  /** Another sweep is at work. */
  waiting(): void;
  end(): void;
}

const FRAME_MS = 100;
const LINE_MS = 10_000;

/** @param out where progress goes; never standard output, which has the report */
export function createSweepProgress(out: TextStream): SweepProgress {
  const live = out.isTTY === true;
  let startedAt: number | undefined;
  let shownAt = performance.now();
  let drawn = false;
  let waits = false;
  const show = (text: string): void => {
    if (live) out.write(`\r\x1B[K${text}`);
    else out.write(`${text}\n`);
    drawn = live;
  };
  return {
    rows(read) {
      const now = performance.now();
      startedAt ??= now;
      if (now - shownAt < (live ? FRAME_MS : LINE_MS)) return;
      shownAt = now;
      const seconds = (now - startedAt) / 1000;
      const rate = seconds > 0 ? `, ${Math.round(read / seconds).toLocaleString('en-US')}/s` : '';
      show(`${read.toLocaleString('en-US')} rows read${rate}`);
    },
    waiting() {
      if (!waits) show('Another sweep is at work; this one starts when that has ended.');
      waits = true;
    },
    end() {
      if (drawn) out.write('\r\x1B[K');
      drawn = false;
    },
  };
}
