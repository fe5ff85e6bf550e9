import type { RemoteProgress } from '../engine/remote-asking.ts';
import type { Cli } from './cli.ts';
import { count } from './layout.ts';
import { createProgress } from './progress.ts';

/** Shows how far the reading of a destination is. */
export function remoteProgress(
  { io }: Pick<Cli, 'io'>,
  name: string,
): { readonly show: (progress: RemoteProgress) => void; readonly done: () => void } {
  const progress = createProgress(io.stderr);
  let read: string | undefined;
  return {
    show(of) {
      switch (of.step) {
        case 'exporting':
          progress.step(`${name}: asking for an export of its contacts`);
          break;
        case 'waiting':
          progress.step(`${name}: waiting, as ${of.why}`);
          break;
        case 'reading':
          read = `${name}: ${count(of.rows, 'contact')} read`;
          progress.show(read);
          break;
        case 'suppressions':
          progress.show(`${name}: ${count(of.rows, 'opt-out')} read`);
          break;
        case 'adopting':
          progress.show(`${name}: ${count(of.rows, 'contact')} of ours compared`);
          break;
      }
    },
    done() {
      // In a log the last line is the whole.
      if (read !== undefined && io.stderr.isTTY !== true) progress.step(read);
      progress.done();
    },
  };
}
