import type {
  AttributePlan,
  Destination,
  Exchange,
  HttpRequest,
  Operation,
  RemoteContact,
} from '../core/destination.ts';
import type { Traffic } from '../core/limits.ts';
import type { Outcome } from '../core/outcome.ts';
import { pathSegment } from '../core/wire.ts';
import type { Send } from './ports.ts';
import { readAnswer } from './read-answer.ts';
import { sizeProblem } from './request-size.ts';

/** What sending needs beside the work itself. */
export interface Sender {
  readonly destination: Destination<unknown>;
  readonly config: unknown;
  readonly plan: AttributePlan;
  /** See `Limits`. */
  readonly bytesPerRequest: number | undefined;
  readonly send: Send;
  /** What becomes of an event whose attempt got no answer, where the destination has no key against duplicates. */
  readonly eventsAtMostOnce: boolean;
  /**
   * Waits for a permit; false when there is no time left for one more request, or none may be sent now.
   * @param which a unit's first request is begun only with time for its full length
   */
  readonly permit: (which: 'first' | 'more', traffic: Traffic) => Promise<boolean>;
  /** Longest that a request begun now may take, in ms; shorter than what is left of the lease. */
  readonly deadlineMs: () => number;
  /** Writes down that whoever has this address has opted out there; absent where nobody is erased. Throws when it could not be. */
  readonly onOptOut?: ((address: string) => Promise<void>) | undefined;
  /** Told of a mistake of ours that concerns one event alone. */
  readonly onMistake: (error: unknown) => void;
}

/** What became of one operation. */
export interface Done {
  readonly outcome: Outcome;
  readonly latencyMs: number;
}

/** What a destination answered, and to which kind of request. */
export interface Answered {
  readonly outcome: Outcome;
  readonly traffic: Traffic;
}

/** The requests of one unit of work, one after the other. Each method gives undefined when none may be sent now. */
export interface Requests {
  /** Whether anything was sent. */
  readonly asked: boolean;
  /** What came of each, in order; reads that went well are left out. */
  readonly answers: readonly Answered[];
  operate(operation: Operation): Promise<Done | undefined>;
  /** Operations of one batch key in one request; one outcome for each. */
  operateAll(batch: readonly Operation[]): Promise<readonly Done[] | undefined>;
  read<Value>(
    exchange: Exchange<Value>,
  ): Promise<{ readonly value: Value; readonly latencyMs: number } | Done | undefined>;
}

const NO_OUTCOME: Outcome = { kind: 'unknown', code: 'no_outcome', message: 'The answer could not be read.' };
const NOT_FOUND: Outcome = {
  kind: 'retry',
  code: 'contact_vanished',
  message: 'The contact was not found at the destination.',
  forgetRemote: true,
};

export function createRequests(sender: Sender): Requests {
  const { destination, config } = sender;
  const auth = destination.auth(config);
  const answers: Answered[] = [];
  let asked = false;
  const exchange = async (request: HttpRequest, traffic: Traffic): Promise<Awaited<ReturnType<Send>> | undefined> => {
    if (!(await sender.permit(asked ? 'more' : 'first', traffic))) return undefined;
    asked = true;
    return await sender.send(request, auth, { deadlineMs: sender.deadlineMs() });
  };
  const answered = (outcome: Outcome, latencyMs: number, traffic: Traffic): Done => {
    answers.push({ outcome, traffic });
    return { outcome, latencyMs };
  };
  const requests: Requests = {
    get asked() {
      return asked;
    },
    answers,
    async operate(operation) {
      // Of our own making: says nothing about the destination.
      if (operation.refused !== undefined) return { outcome: operation.refused, latencyMs: 0 };
      const named = operation.find === undefined ? operation : await found(operation, operation.find, requests, sender);
      if (named === undefined || 'outcome' in named) return named;
      return (await requests.operateAll([named]))?.[0];
    },
    async operateAll(batch) {
      const traffic = batch[0]?.kind === 'event' ? 'event' : 'contact';
      const request = destination.request(batch, config);
      const problem = sizeProblem(request, sender.bytesPerRequest, destination.name);
      if (problem !== undefined) {
        // Together they may be too large; by itself each is told what is wrong with it.
        return batch.length === 1
          ? [{ outcome: problem, latencyMs: 0 }]
          : await eachOf(batch, async (operation) => (await requests.operateAll([operation]))?.[0]);
      }
      const result = await exchange(request, traffic);
      if (result === undefined) return undefined;
      const outcomes = result.answered ? destination.interpret(result.response, batch) : [];
      const missing = result.answered ? NO_OUTCOME : result.outcome;
      return batch.map((_, n) => answered(outcomes[n] ?? missing, result.latencyMs, traffic));
    },
    async read(wanted) {
      const result = await exchange(wanted.request, 'read');
      if (result === undefined) return undefined;
      const read = readAnswer(wanted, result);
      if (read.ok) return { value: read.value, latencyMs: result.latencyMs };
      // Reading changes nothing, so no answer to it is a plain retry.
      const { outcome } = read;
      return answered(outcome.kind === 'unknown' ? { ...outcome, kind: 'retry' } : outcome, result.latencyMs, 'read');
    },
  };
  return requests;
}

/** The operation with the id of its contact; or what became of it when that is not there. */
async function found(
  operation: Operation,
  address: string,
  requests: Requests,
  { destination, config }: Sender,
): Promise<Operation | Done | undefined> {
  const read = await requests.read<RemoteContact | null>(lookup(destination, config, address));
  if (read === undefined || 'outcome' in read) return read;
  const id = read.value?.id ?? '';
  if (id !== '') return { ...operation, path: operation.path.replace('{id}', pathSegment(id)), find: undefined };
  const nothingToDo = operation.kind === 'delete' || operation.kind === 'unsubscribe';
  return { outcome: nothingToDo ? { kind: 'delivered' } : NOT_FOUND, latencyMs: read.latencyMs };
}

function lookup(destination: Destination<unknown>, config: unknown, address: string): Exchange<RemoteContact | null> {
  const exchange = destination.lookup?.({ id: null, address }, config);
  if (exchange === undefined) throw new TypeError(`${destination.id} looks contacts up and has no lookup`);
  return exchange;
}

/** Of several, until one may not be sent. */
async function eachOf(
  batch: readonly Operation[],
  operate: (operation: Operation) => Promise<Done | undefined>,
): Promise<readonly Done[] | undefined> {
  const done: Done[] = [];
  for (const operation of batch) {
    const each = await operate(operation);
    if (each === undefined) break;
    done.push(each);
  }
  return done.length === 0 ? undefined : done;
}
