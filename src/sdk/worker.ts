import type { Observation } from '../engine/observer.ts';
import type { SweepReport } from '../engine/sweep-report.ts';
import type { OutcomeKind } from '../core/outcome.ts';
import { runWorker } from '../homes/worker.ts';
import { requireDatabase } from '../sql/open-database.ts';
import type { Host } from './host.ts';

/** What a `Rollcall` tells of the worker in it, by name. There is nobody in it: neither ids nor addresses. */
export interface RollcallEvents {
  /** The worker runs. */
  started: [{ readonly healthPort: number | undefined }];
  /** It has stopped. */
  stopped: [];
  /** A destination has accepted contacts or events. */
  delivered: [{ readonly destination: string; readonly of: 'contact' | 'event'; readonly count: number }];
  /** It has not; what is no `reject` is tried again by itself. */
  failed: [
    {
      readonly destination: string;
      readonly of: 'contact' | 'event';
      readonly outcome: OutcomeKind;
      readonly code: string;
      readonly count: number;
    },
  ];
  /** A destination takes nothing for now. */
  paused: [{ readonly destination: string; readonly code: string }];
  /** A sweep has ended. */
  swept: [SweepReport];
  /** The worker has ended by itself: see docs/errors.md. */
  error: [Error];
}

/** Tells one of them; never throws, whatever a listener does. */
export type Tell = <Name extends keyof RollcallEvents>(name: Name, ...args: RollcallEvents[Name]) => void;

export interface StartOptions {
  /** Where `/healthz`, `/readyz` and `/metrics` are answered; not at all when absent. */
  readonly health?: { readonly port: number; readonly host: string } | undefined;
}

/** The worker of one `Rollcall`. */
export interface OwnWorker {
  /** Resolves once it runs. @throws RollcallError for the config, the install and the database */
  start(options: StartOptions): Promise<void>;
  /** Lets it finish what is in flight; nothing when none runs. */
  stop(): Promise<void>;
}

export function createOwnWorker(host: Host, tell: Tell): OwnWorker {
  let running:
    | { readonly ready: Promise<void>; readonly ended: Promise<void>; readonly stop: AbortController }
    | undefined;
  return {
    async start(options) {
      // One that is being stopped is none to join.
      while (running?.stop.signal.aborted === true) await running.ended;
      running ??= launch(host, tell, options, () => {
        running = undefined;
      });
      await running.ready;
    },
    async stop() {
      running?.stop.abort();
      await running?.ended;
    },
  };
}

function launch(
  host: Host,
  tell: Tell,
  { health }: StartOptions,
  onEnd: () => void,
): { readonly ready: Promise<void>; readonly ended: Promise<void>; readonly stop: AbortController } {
  const stop = new AbortController();
  let isReady = false;
  const { promise: started, resolve: onStarted } = deferred();
  const run = async (): Promise<void> => {
    const config = await host.config();
    requireDatabase(config);
    const onReady = ({ healthPort }: { readonly healthPort: number | undefined }): void => {
      isReady = true;
      onStarted();
      tell('started', { healthPort });
    };
    const send = host.fetch === undefined ? undefined : host.send;
    await runWorker(
      { config, log: host.log, send, health, onReady, observe: (seen) => translate(seen, tell) },
      stop.signal,
    );
  };
  const running = run().finally(onEnd);
  // Before it runs, `start` throws what ended it; afterwards nobody waits for it, so it is told.
  const ended = running.then(
    () => tell('stopped'),
    (error: unknown) => {
      if (isReady) tell('error', error instanceof Error ? error : new Error(String(error)));
    },
  );
  return { ready: Promise.race([started, running]), ended, stop };
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

function translate(seen: Observation, tell: Tell): void {
  if (seen.what === 'pause') tell('paused', { destination: seen.destination, code: seen.code });
  if (seen.what === 'sweep') tell('swept', seen.report);
  if (seen.what !== 'settle') return;
  for (const { of, outcome, code, count } of seen.tallies) {
    if (outcome === 'delivered') tell('delivered', { destination: seen.destination, of, count });
    else tell('failed', { destination: seen.destination, of, outcome, code, count });
  }
}
