import { sourceProblem } from './fatal.ts';
import type { Logger, Store } from './ports.ts';

/** Keeps the state of the source: whether its tables can be read as the mapping needs them. */
export interface SourceWatch {
  /** Something was read from it. */
  readable(): Promise<void>;
  /** True when the error was about the source, which is then marked as paused; the changes stay in the log meanwhile. */
  failed(error: unknown): Promise<boolean>;
}

export function createSourceWatch(store: Store, log: Logger): SourceWatch {
  // Unknown at first: a worker before us may have left the mark.
  let paused: boolean | undefined;
  return {
    async readable() {
      if (paused === false) return;
      await store.resumeSource();
      if (paused === true) log.info({}, 'the source can be read again');
      paused = false;
    },
    async failed(error) {
      const problem = sourceProblem(error);
      if (problem === undefined) return false;
      if (paused !== true) {
        log.error(
          { code: problem.code },
          'auth.users is no longer what the mapping was made for; run `rollcall apply`',
        );
      }
      paused = true;
      try {
        await store.pauseSource(problem.code, problem.message);
      } catch {
        // The mark is for `status`; the next failure sets it.
      }
      return true;
    },
  };
}
