import type { AttributePlan, Destination, HttpRequest, Operation, RemoteContact } from '../core/destination.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Claimed, Send } from './ports.ts';

/** What sending needs beside the delivery. */
export interface Sender {
  readonly destination: Destination<unknown>;
  readonly config: unknown;
  readonly plan: AttributePlan;
  readonly send: Send;
  /**
   * Waits for a permit; false when there is no time left for one more request, or none may be sent now.
   * @param which a delivery's first request is begun only with time for its full length
   */
  readonly permit: (which: 'first' | 'more') => Promise<boolean>;
  /** Longest that a request begun now may take, in ms; shorter than what is left of the lease. */
  readonly deadlineMs: () => number;
}

/** What became of a delivery, or that it was not begun. */
export type Performed =
  | { readonly begun: false }
  | {
      readonly begun: true;
      readonly outcome: Outcome;
      readonly latencyMs: number;
      /** False when there was nothing to ask the destination: then the outcome tells nothing of it. */
      readonly asked: boolean;
      readonly partial?: { readonly remoteId: string | undefined } | undefined;
    };

const DELIVERED: Outcome = { kind: 'delivered' };
const NO_TIME: Outcome = { kind: 'retry', code: 'no_time', message: 'No time was left for a further request.' };

/**
 * Sends one delivery: reads the subscription first where it must move with the person, then the operations in order, stopping
 * at the first that is not accepted. Never throws for what a destination answers.
 */
export async function perform(delivery: Claimed, sender: Sender): Promise<Performed> {
  const { destination, config, plan } = sender;
  const looked = await withSubscription(delivery, sender);
  if ('performed' in looked) return looked.performed;
  const operations = destination.encode(looked.delivery, plan, config);
  let { latencyMs } = looked;
  let upserted: Extract<Outcome, { kind: 'delivered' }> | undefined;
  for (const [index, operation] of operations.entries()) {
    const isFirst = index === 0 && !looked.asked;
    if (!(await sender.permit(isFirst ? 'first' : 'more'))) {
      // Not given back once something was asked: the wait that grows with each try keeps this from going in circles.
      return isFirst ? { begun: false } : failed(NO_TIME, latencyMs, upserted);
    }
    const result = await exchange(operation, sender);
    latencyMs += result.latencyMs;
    if (result.outcome.kind !== 'delivered') return failed(result.outcome, latencyMs, upserted);
    if (operation.kind === 'upsert') upserted = result.outcome;
  }
  return { begun: true, outcome: upserted ?? DELIVERED, latencyMs, asked: looked.asked || operations.length > 0 };
}

function failed(
  outcome: Outcome,
  latencyMs: number,
  upserted: { readonly remoteId?: string | undefined } | undefined,
): Performed {
  return {
    begun: true,
    outcome,
    latencyMs,
    asked: true,
    partial: upserted === undefined ? undefined : { remoteId: upserted.remoteId },
  };
}

async function exchange(operation: Operation, sender: Sender): Promise<{ outcome: Outcome; latencyMs: number }> {
  const { destination, config } = sender;
  const result = await request(destination.request([operation], config), sender);
  if (!result.answered) return result;
  const [outcome] = destination.interpret(result.response, [operation]);
  return {
    latencyMs: result.latencyMs,
    outcome: outcome ?? { kind: 'unknown', code: 'no_outcome', message: 'The answer could not be read.' },
  };
}

function request(http: HttpRequest, sender: Sender): ReturnType<Send> {
  return sender.send(http, sender.destination.auth(sender.config), { deadlineMs: sender.deadlineMs() });
}

/**
 * Before an address changes, the destination is asked whether the person is still subscribed there: consent lives with the
 * address at many vendors, and an opt-out has to move with the person (SPEC.md, "Invariants", 4).
 */
async function withSubscription(
  delivery: Claimed,
  sender: Sender,
): Promise<{ delivery: Claimed; latencyMs: number; asked: boolean } | { performed: Performed }> {
  const { destination } = sender;
  const from = consentSource(delivery);
  if (from === undefined || destination.lookup === undefined) return { delivery, latencyMs: 0, asked: false };
  if (!(await sender.permit('first'))) return { performed: { begun: false } };
  const lookup = destination.lookup(from, sender.config);
  const result = await request(lookup.request, sender);
  // Reading changes nothing, so no answer to it is a plain retry.
  if (!result.answered) return { performed: failed(asRetry(result.outcome), result.latencyMs, undefined) };
  const read = lookup.interpret(result.response);
  if (!read.ok) return { performed: failed(asRetry(read.outcome), result.latencyMs, undefined) };
  const subscription = read.value?.subscription;
  const remote: RemoteContact = { ...(delivery.remote ?? { address: null, id: null }), subscription };
  return { delivery: { ...delivery, remote }, latencyMs: result.latencyMs, asked: true };
}

function consentSource(delivery: Claimed): RemoteContact | undefined {
  if (delivery.action !== 'upsert' || delivery.consent === 'opted_out') return undefined;
  if (delivery.carryFrom !== null) return { address: delivery.carryFrom, id: null };
  const { remote } = delivery;
  if (remote === null || remote.address === null || remote.address === delivery.address) return undefined;
  return remote;
}

function asRetry(outcome: Outcome): Outcome {
  return outcome.kind === 'unknown' ? { ...outcome, kind: 'retry' } : outcome;
}
