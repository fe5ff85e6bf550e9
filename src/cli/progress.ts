import type { Cli } from './cli.ts';
import { cut } from './layout.ts';
import { widthOf } from './io.ts';

/** Shows how far long work is: one line that is written over on a terminal, a plain line now and then elsewhere. */
export interface Progress {
  show(line: string): void;
  /** Ends the line that is written over. */
  done(): void;
}

const PLAIN_EVERY_MS = 5_000;

/** @param quiet nothing on a terminal either: somebody reads a document at the end */
export function createProgress(cli: Cli, quiet: boolean): Progress {
  const { stderr } = cli.io;
  const live = stderr.isTTY === true && !quiet;
  let saidAt = -Infinity;
  let open = false;
  return {
    show(line) {
      if (live) {
        stderr.write(`\r\u001B[K${cut(line, widthOf(stderr) - 1)}`);
        open = true;
        return;
      }
      const now = performance.now();
      if (now - saidAt < PLAIN_EVERY_MS) return;
      saidAt = now;
      cli.note(line);
    },
    done() {
      if (open) stderr.write('\r\u001B[K');
      open = false;
    },
  };
}
