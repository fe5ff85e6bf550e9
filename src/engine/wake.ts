/** Something to wait on that others can ring. A ring while nobody waits is kept for the next wait. */
export interface Wake {
  ring(): void;
  /** Resolves at the next ring, after `ms`, or when `signal` aborts; never rejects. True when it was rung. */
  wait(ms: number, signal?: AbortSignal): Promise<boolean>;
}

export function createWake(): Wake {
  let rung = false;
  let waiters: ((rung: boolean) => void)[] = [];
  return {
    ring() {
      rung = true;
      const called = waiters;
      waiters = [];
      for (const waiter of called) waiter(true);
    },
    wait(ms, signal) {
      if (rung || signal?.aborted === true) {
        const was = rung;
        rung = false;
        return Promise.resolve(was);
      }
      return new Promise((resolve) => {
        const done = (by: boolean): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
          waiters = waiters.filter((waiter) => waiter !== done);
          rung = false;
          resolve(by);
        };
        const onAbort = (): void => done(false);
        const timer = setTimeout(() => done(false), ms);
        signal?.addEventListener('abort', onAbort, { once: true });
        waiters.push(done);
      });
    },
  };
}

/** Waits, or less when `signal` aborts; never rejects. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await createWake().wait(ms, signal);
}
