import type { Destination, Exchange } from '../core/destination.ts';
import type { FactStore } from '../inbound/ports.ts';
import { backfillBuckets, createLimiters } from './limiters.ts';
import type { DestinationState, Logger, Send, Store } from './ports.ts';
import { readAnswer } from './read-answer.ts';
import { suppressionPages } from './suppression-pages.ts';
import type { EngineTimes } from './times.ts';
import { createTrouble } from './trouble.ts';
import { pause } from './wake.ts';

export interface PullOptions {
  readonly destination: Destination<unknown>;
  readonly config: unknown;
  readonly state: DestinationState;
  readonly store: Pick<Store, 'takeSends'>;
  readonly facts: FactStore;
  readonly send: Send;
  readonly log: Logger;
  readonly times: Pick<EngineTimes, 'pullEveryMs' | 'pullLookMs' | 'requestMs'>;
  readonly isFatal: (error: unknown) => boolean;
}

/** Longest between two signs of life: permits may be few. */
const HOLD_MS = 120_000;
/** Facts stored in one transaction. */
const AT_ONCE = 500;

/** What a destination answers when it is asked: not now, or never. */
class Refused extends Error {
  readonly code: string;
  constructor(code: string) {
    super('who must not be mailed could not be read');
    this.code = code;
  }
}

/**
 * Reads from a destination who must not be mailed until the signal aborts, now and then, whichever worker comes first: webhooks get lost, or
 * were never set up. What is read are facts like any others, and known ones change nothing. It takes no permit that whoever is live needs.
 */
export async function runPull(options: PullOptions, signal: AbortSignal): Promise<void> {
  const { destination, state, facts, log, times, isFatal } = options;
  if (destination.suppressions === undefined) return;
  const trouble = createTrouble(log, { destination: state.name }, 'read who must not be mailed');
  for (;;) {
    // Whoever is due comes first.
    await pause(times.pullLookMs, signal);
    if (signal.aborted) return;
    try {
      if (await facts.beginPull(state.id, times.pullEveryMs, HOLD_MS)) {
        const found = await pull(options, signal);
        if (found !== undefined) log.debug({ destination: state.name, found }, 'read who must not be mailed');
      }
      trouble.worked();
    } catch (error) {
      if (isFatal(error)) return;
      trouble.failed(error);
    }
  }
}

/** Reads all pages; undefined when the signal aborted before the last. */
async function pull(options: PullOptions, signal: AbortSignal): Promise<number | undefined> {
  const { destination, config, state, store, facts, send, times } = options;
  const limiters = createLimiters(
    destination.limits(config),
    (of, want) => store.takeSends(state.id, backfillBuckets(of), want),
    () => 0,
  );
  const auth = destination.auth(config);
  // Tried again when the hold is over: a refusal says nothing of contacts, whose own requests find that out.
  const ask = async <Value>(make: () => Exchange<Value>): Promise<Value | undefined> => {
    while (!(await limiters.acquire('suppressions', performance.now() + HOLD_MS / 2, signal))) {
      if (signal.aborted) return undefined;
      await facts.notePull(state.id, false, HOLD_MS);
    }
    const exchange = make();
    const answer = readAnswer(exchange, await send(exchange.request, auth, { deadlineMs: times.requestMs, signal }));
    if (signal.aborted) return undefined;
    if (!answer.ok) throw new Refused(answer.outcome.kind === 'delivered' ? 'no_answer' : answer.outcome.code);
    return answer.value;
  };
  let found = 0;
  for await (const { facts: told, isLast } of suppressionPages(destination, config, ask)) {
    for (let n = 0; n < told.length; n += AT_ONCE) await facts.receive(state.name, told.slice(n, n + AT_ONCE));
    found += told.length;
    await facts.notePull(state.id, isLast, HOLD_MS);
    if (isLast) return found;
  }
  return undefined;
}
