import { type BreakerTimes, nextPauseMs } from '../core/breaker.ts';
import { RollcallError } from '../core/errors.ts';
import { createLane, type Lane } from './lane.ts';
import type { LaneOptions } from './lane-shared.ts';
import type { FactStore } from '../inbound/ports.ts';
import { runLooks } from './erase.ts';
import type { ErasureStore } from './erasure-ports.ts';
import { runPull } from './pull.ts';
import { createTrouble } from './trouble.ts';
import { createWake, pause, type Wake } from './wake.ts';
import type { Destination } from '../core/destination.ts';
import type { DestinationState, Send } from './ports.ts';

/** A destination with its state, and how to get what it is sent with. */
export interface Route {
  readonly destination: Destination<unknown>;
  readonly state: DestinationState;
  readonly send: Send;
  /**
   * Makes its config whole: secrets and the ids of lists.
   * @throws RollcallError when that can't be done now; it is tried again
   */
  readonly prepare: () => Promise<unknown>;
  /** Whether its secrets are read from where they may be changed: they are read again once it refuses them. */
  readonly rereads: boolean;
  /** Rung when the destination says that a request for many has ended. */
  readonly notified?: Wake | undefined;
}

/** A lane that also looks for the erased. */
export interface RouteLane extends Lane {
  /** Somebody is being erased. */
  lookForErased(): void;
}

const RETRY_MS = 500;
const LOOK_MS = 1_000;

/** Everything about one destination. What is wrong with it is its own: it waits for that, and nobody waits for it. */
export function createRoute(
  options: Omit<LaneOptions, 'config' | 'destination' | 'state' | 'onRefused' | 'notified' | 'send' | 'facts'> &
    Route & { readonly facts: FactStore; readonly erasures: ErasureStore },
): RouteLane {
  const { notified = createWake(), rereads } = options;
  const erasing = createWake();
  let lane: Lane | undefined;
  return {
    wake: () => lane?.wake(),
    lookForErased: () => erasing.ring(),
    async run(signal) {
      while (!signal.aborted) {
        const prepared = await prepare(options, options.times.breaker, signal);
        if (prepared === undefined) return;
        const again = new AbortController();
        const onRefused = (): void => (rereads ? again.abort() : undefined);
        lane = createLane({ ...options, config: prepared.config, notified, onRefused });
        const until = AbortSignal.any([signal, again.signal]);
        // A helper leaves that to the workers there are.
        const { config } = prepared;
        const reading =
          options.liveWaitMs > 0
            ? []
            : [runPull({ ...options, config }, until), runLooks({ ...options, config, erasing }, until)];
        await Promise.all([lane.run(until), ...reading]);
        // An error that no retry can mend ends a lane by itself.
        if (!again.signal.aborted) return;
      }
    },
  };
}

/** Until the config is whole; undefined when the signal aborts before, or nothing can mend what is wrong. */
async function prepare(
  route: Pick<LaneOptions, 'store' | 'log' | 'isFatal'> & Route,
  breaker: BreakerTimes,
  signal: AbortSignal,
): Promise<{ readonly config: unknown } | undefined> {
  const { store, log, state } = route;
  const trouble = createTrouble(log, { destination: state.name }, 'read what it is sent with');
  for (let tries = 0; !signal.aborted;) {
    try {
      const config = await route.prepare();
      if (tries > 0) await store.resume(state.id);
      trouble.worked();
      return { config };
    } catch (error) {
      if (route.isFatal(error)) return undefined;
      trouble.failed(error);
      if (!(error instanceof RollcallError)) {
        await pause(RETRY_MS, signal);
        continue;
      }
      const ms = nextPauseMs(tries, breaker);
      tries += 1;
      log.error(
        { destination: state.name, code: error.code, seconds: Math.round(ms / 1_000) },
        'the destination cannot be sent to, so it is paused',
      );
      const { message, hint } = error;
      const said = [message, hint].filter((text) => text !== undefined).join(' ');
      await store
        .pause(state.id, error.code, said.slice(0, 500), ms)
        .catch((failure: unknown) => trouble.failed(failure));
      await sitOut(route, ms, signal);
    }
  }
  return undefined;
}

/** A pause ends early when a person says so: see `rollcall resume`. */
async function sitOut(
  { store, state }: Pick<LaneOptions, 'store'> & Route,
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until && !signal.aborted) {
    await pause(Math.min(LOOK_MS, until - performance.now()), signal);
    const states = await store.destinations().catch(() => undefined);
    if (states?.find(({ id }) => id === state.id)?.pausedMs === 0) return;
  }
}
