/** Something to wait on that others can ring. A ring while nobody waits is kept for the next wait. */
export interface Wake {
  ring(): void;
  /** Resolves at the next ring, after `ms`, or when `signal` aborts; never rejects. True when it was rung. */
  wait(ms: number, signal?: AbortSignal): Promise<boolean>;
}

export function createWake(): Wake {
  let rung = false;
  const waiters = new Set<(rung: boolean) => void>();
  return {
    ring() {
      rung = true;
      for (const waiter of waiters) waiter(true);
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
          forget?.();
          waiters.delete(done);
          rung = false;
          resolve(by);
        };
        const timer = setTimeout(() => done(false), ms);
        const forget = signal === undefined ? undefined : onAbort(signal, () => done(false));
        waiters.add(done);
      });
    },
  };
}

/** Waits, or less when `signal` aborts; never rejects. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await createWake().wait(ms, signal);
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

// One listener a signal, however many wait on it: runtimes take more than ten for a leak.
const aborts = new WeakMap<AbortSignal, Set<() => void>>();

function onAbort(signal: AbortSignal, run: () => void): () => void {
  let runs = aborts.get(signal);
  if (runs === undefined) {
    const made = new Set<() => void>();
    aborts.set(signal, made);
    signal.addEventListener('abort', () => made.forEach((each) => each()), { once: true });
    runs = made;
  }
  const all = runs;
  all.add(run);
  return () => all.delete(run);
}
