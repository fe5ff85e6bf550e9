import { RollcallError } from '../../core/errors.ts';
import { fatalError } from '../../engine/fatal.ts';
import type { Logger } from '../../engine/ports.ts';
import type { EngineTimes } from '../../engine/times.ts';
import { codeOf } from '../../engine/trouble.ts';
import type { Budget } from './budget.ts';
import type { Homes } from './home.ts';
import { type Ran, runOnce } from './run.ts';

/** One run at a time in an isolate; other isolates run beside it. */
export interface Runs {
  /**
   * Starts a run, unless one is at work.
   * @returns its end, where a request has to wait for it; undefined where the platform keeps the isolate alive without one
   */
  wake(): Promise<Ran | Problem> | undefined;
}

/** Why nothing could be done: the code of the error, as docs/errors.md has it. */
export interface Problem {
  readonly problem: string;
}

export interface RunsParts {
  readonly homes: Homes;
  readonly budget: Budget;
  readonly times: EngineTimes;
  readonly log: Logger;
  /** Keeps the isolate alive until then; false where that is not possible. */
  readonly waitUntil: (promise: Promise<unknown>) => boolean;
  /** Asks for another run, in another invocation; what becomes of it is nobody's concern. */
  readonly again: () => Promise<void>;
  /** Aborts when the isolate is about to end. */
  readonly unload: AbortSignal;
}

export function createRuns({ homes, budget, times, log, waitUntil, again, unload }: RunsParts): Runs {
  let running: Promise<Ran | Problem> | undefined;
  const work = async (): Promise<Ran | Problem> => {
    try {
      const ran = await homes.use((home) => runOnce(home, { budget, times }, unload));
      log.info(ran, 'an invocation has ended');
      return ran;
    } catch (error) {
      const code = (error instanceof RollcallError ? error : fatalError(error))?.code ?? codeOf(error);
      log.error({ code }, 'an invocation could not work');
      return { problem: code };
    }
  };
  const run = async (): Promise<Ran | Problem> => {
    const ran = await work();
    running = undefined;
    // The tick comes anyway; this is so that a backlog does not wait for it.
    if ('more' in ran && ran.more && ran.ended !== 'idle') await again();
    return ran;
  };
  return {
    wake() {
      running ??= run();
      return waitUntil(running) ? undefined : running;
    },
  };
}
