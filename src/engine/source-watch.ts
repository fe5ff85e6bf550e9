import { sourceProblem } from './fatal.ts';
import type { Logger, PausedSource, Store } from './ports.ts';

/** Keeps the state of `auth.users`: whether it can be read as the mapping needs it. While it cannot, nothing is folded. */
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
      if (paused === true) log.info({}, 'auth.users can be read again');
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

/** Speaks of each other table once when it is paused, and once when it is read again. The fold goes on without it. */
export interface TableWatch {
  /** @param sources all that are paused now */
  paused(sources: readonly PausedSource[]): void;
}

export function createTableWatch(log: Logger): TableWatch {
  let before: readonly string[] = [];
  return {
    paused(sources) {
      for (const { name, code } of sources) {
        if (before.includes(name)) continue;
        log.error(
          { source: name, code },
          'a table is no longer what the mapping was made for; what it gave stays as it was and its events are held: run `rollcall apply`',
        );
      }
      const now = sources.map(({ name }) => name);
      for (const name of before) if (!now.includes(name)) log.info({ source: name }, 'a table can be read again');
      before = now;
    },
  };
}
