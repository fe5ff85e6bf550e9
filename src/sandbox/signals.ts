import { RollcallError } from '../core/errors.ts';

/** Listeners of one kind of news. Telling nobody costs nothing, so callers may ask `heard` before building the news. */
export class Signal<News> {
  private readonly listeners = new Set<(news: News) => void>();

  get heard(): boolean {
    return this.listeners.size > 0;
  }

  /** @returns a function that ends the subscription */
  on(listener: (news: News) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  tell(news: News): void {
    for (const listener of this.listeners) listener(news);
  }
}

/**
 * Waits until a condition holds, checking it now and after every signal, at most once per turn of the event loop.
 * @param signals those after which the condition may have changed
 * @throws RollcallError `RC_SANDBOX_TIMEOUT` when it does not hold in time
 */
export async function until(
  signals: readonly { on(listener: () => void): () => void }[],
  condition: () => boolean,
  timeoutMs: number,
): Promise<void> {
  if (condition()) return;
  await new Promise<void>((resolve, reject) => {
    let scheduled: NodeJS.Immediate | undefined;
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      clearImmediate(scheduled);
      for (const stop of stops) stop();
      settle();
    };
    const check = (): void => {
      scheduled = undefined;
      try {
        if (condition()) finish(resolve);
      } catch (error) {
        finish(() => reject(error instanceof Error ? error : new Error(String(error))));
      }
    };
    const schedule = (): void => {
      scheduled ??= setImmediate(check);
    };
    const stops = signals.map((signal) => signal.on(schedule));
    const timer = setTimeout(() => {
      finish(() =>
        reject(
          new RollcallError(
            'RC_SANDBOX_TIMEOUT',
            `The sandbox did not reach the awaited state within ${timeoutMs} ms.`,
            { hint: 'Look at the last calls: GET /_sandbox/calls, or the sandbox page.' },
          ),
        ),
      );
    }, timeoutMs);
  });
}
