import type { RemoteProgress } from '../engine/read-remote.ts';
import type { Cli } from './cli.ts';
import { count, cut } from './layout.ts';
import { widthOf } from './io.ts';

/** Shows how far the reading of a destination is: one line that changes on a terminal, a line for each step elsewhere. */
export function remoteProgress(
  { io }: Pick<Cli, 'io'>,
  name: string,
): { readonly show: (progress: RemoteProgress) => void; readonly done: () => void } {
  const { stderr } = io;
  let shown = '';
  let rows: number | undefined;
  const line = (text: string): void => {
    if (text === shown) return;
    shown = text;
    if (stderr.isTTY === true) stderr.write(`\r\u001b[2K${cut(text, widthOf(stderr) - 1)}`);
    else stderr.write(`${text}\n`);
  };
  return {
    show(progress) {
      switch (progress.step) {
        case 'exporting':
          line(`${name}: asking for an export of its contacts`);
          break;
        case 'waiting':
          line(`${name}: waiting, as ${progress.why}`);
          break;
        case 'reading':
          // In a log one line is enough, at the end.
          rows = progress.rows;
          if (stderr.isTTY === true) line(`${name}: ${count(rows, 'contact')} read`);
          break;
      }
    },
    done() {
      if (stderr.isTTY === true) {
        if (shown !== '') stderr.write('\r\u001b[2K');
      } else if (rows !== undefined) line(`${name}: ${count(rows, 'contact')} read`);
    },
  };
}
