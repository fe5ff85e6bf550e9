import type { Destination, Exchange } from '../core/destination.ts';
import { RollcallError } from '../core/errors.ts';
import type { Traffic } from '../core/limits.ts';
import type { Outcome } from '../core/outcome.ts';
import { bucketsFor, createLimiters } from './limiters.ts';
import type { DestinationState, Send } from './ports.ts';
import { readAnswer } from './read-answer.ts';
import type { ReadTable, RemoteReading, RemoteStore } from './remote-ports.ts';
import { stopped } from './stopped.ts';
import { pause } from './wake.ts';

/** A destination that is read, with what reading it takes. */
export interface RemoteAccess {
  readonly destination: Destination<unknown>;
  readonly config: unknown;
  readonly state: Pick<DestinationState, 'id' | 'name' | 'plan'>;
  readonly store: RemoteStore;
  readonly send: Send;
  readonly readTable: ReadTable;
  readonly times?: Partial<RemoteTimes> | undefined;
  readonly onProgress?: ((progress: RemoteProgress) => void) | undefined;
}

/** Clocks of a reading, in ms. */
export interface RemoteTimes {
  /** Longest that an export may take: destinations need not say that one failed. */
  readonly exportMs: number;
  /** Longest that its file may take. */
  readonly downloadMs: number;
  readonly requestMs: number;
  /** Between two questions about an export: at first, and at most. */
  readonly firstPollMs: number;
  readonly longestPollMs: number;
}

export const DEFAULT_REMOTE_TIMES: RemoteTimes = {
  exportMs: 30 * 60_000,
  downloadMs: 30 * 60_000,
  requestMs: 15_000,
  firstPollMs: 250,
  longestPollMs: 10_000,
};

export type RemoteProgress =
  | { readonly step: 'waiting'; readonly why: string }
  | { readonly step: 'exporting' }
  | { readonly step: 'reading'; readonly rows: number }
  | { readonly step: 'suppressions'; readonly rows: number }
  | { readonly step: 'adopting'; readonly rows: number };

/** Asks a destination, as long as it takes. */
export interface Asking {
  readonly name: string;
  /**
   * Asks until there is a value; waits where the answer says so, within the time of the export.
   * @throws RollcallError `RC_EXPORT_REFUSED`, `RC_EXPORT_TIMEOUT`, `RC_STOPPED`
   */
  until<Value>(make: () => Exchange<Value>): Promise<Value>;
  rest(why: string): Promise<void>;
}

/**
 * Every question takes a permit from the shared limits, as a delivery does.
 * @param traffic which limits count it
 */
export function createAsking(
  access: RemoteAccess,
  reading: RemoteReading,
  traffic: Traffic,
  signal: AbortSignal,
): Asking {
  const times = { ...DEFAULT_REMOTE_TIMES, ...access.times };
  const { destination, config, state, store, send } = access;
  const limits = destination.limits(config);
  const limiters = createLimiters(
    limits,
    (of, want) => store.takeSends(state.id, of, want),
    () => 0,
  );
  const auth = destination.auth(config);
  const deadline = performance.now() + times.exportMs;
  let restMs = times.firstPollMs;
  const rest = async (why: string, atLeastMs = 0): Promise<void> => {
    const ms = Math.max(restMs, atLeastMs);
    restMs = Math.min(times.longestPollMs, restMs * 2);
    if (performance.now() + ms > deadline) {
      const minutes = Math.max(1, Math.round(times.exportMs / 60_000));
      throw failed(state.name, `it took longer than ${minutes} min (${why})`, 'RC_EXPORT_TIMEOUT');
    }
    access.onProgress?.({ step: 'waiting', why });
    for (let left = ms; left > 0; left -= times.longestPollMs) {
      await pause(Math.min(left, times.longestPollMs), signal);
      if (signal.aborted) throw stopped();
      await store.touch(reading);
    }
  };
  return {
    name: state.name,
    rest,
    async until(make) {
      for (;;) {
        if (signal.aborted) throw stopped();
        if (!(await limiters.acquire(traffic, Math.min(deadline, performance.now() + times.longestPollMs), signal))) {
          await rest('the limit of requests is used up');
          continue;
        }
        const exchange = make();
        const sent = await send(exchange.request, auth, { deadlineMs: times.requestMs, signal });
        const answer = readAnswer(exchange, sent);
        if (answer.ok) return answer.value;
        const { outcome } = answer;
        if (signal.aborted) throw stopped();
        if (!passes(outcome)) throw failed(state.name, words(outcome), 'RC_EXPORT_REFUSED');
        const { retryAfterMs = 0 } = outcome;
        if (outcome.kind === 'throttle') await store.holdSends(state.id, bucketsFor(limits, traffic), retryAfterMs);
        await rest(outcome.code === 'export_busy' ? 'another export is being made' : words(outcome), retryAfterMs);
      }
    },
  };
}

/** Whether to ask again. Of a start without an answer nobody knows: the next one waits for it to end. */
function passes(outcome: Outcome): outcome is Exclude<Outcome, { kind: 'delivered' }> {
  return outcome.kind === 'retry' || outcome.kind === 'throttle' || outcome.kind === 'unknown';
}

function words(outcome: Outcome): string {
  return outcome.kind === 'delivered' ? 'the answer could not be read' : outcome.message.replace(/\.$/, '');
}

/** An error that says what could not be read, and what to do. */
export function failed(name: string, why: string, code: string): RollcallError {
  return new RollcallError(code, `What ${name} has could not be read: ${why}.`, {
    hint:
      code === 'RC_EXPORT_REFUSED'
        ? 'Check the key and its scope. Nothing was changed.'
        : 'Nothing was changed. Run the command again; if it stays so, look for the export in its own pages.',
  });
}
