import { type TextStream, widthOf } from './io.ts';
import { cut } from './layout.ts';

/** Shows how far long work is: one line that is written over on a terminal, plain lines elsewhere. */
export interface Progress {
  /** How far it is: as often as an eye can follow on a terminal, now and then elsewhere. Short work says nothing there. */
  show(this: void, line: string): void;
  /** Something new: said at once, and once. */
  step(line: string): void;
  /** Takes away the line that is written over. */
  done(): void;
}

const FRAME_MS = 100;
const PLAIN_EVERY_MS = 5_000;

/**
 * @param out where progress goes; never standard output, which has the result
 * @param quiet nothing on a terminal either: somebody reads a document at the end
 */
export function createProgress(out: TextStream, quiet = false): Progress {
  const live = out.isTTY === true && !quiet;
  let shownAt = live ? -Infinity : performance.now();
  let last = '';
  const write = (line: string): void => {
    last = line;
    out.write(live ? `\r\u001B[2K${cut(line, widthOf(out) - 1)}` : `${line}\n`);
  };
  return {
    show(line) {
      const now = performance.now();
      if (now - shownAt < (live ? FRAME_MS : PLAIN_EVERY_MS)) return;
      shownAt = now;
      write(line);
    },
    step(line) {
      if (line !== last) write(line);
    },
    done() {
      if (live && last !== '') out.write('\r\u001B[2K');
      last = '';
    },
  };
}
