import type { AttributePlan, Destination, Exchange, HttpRequest, Operation } from '../core/destination.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Send } from './ports.ts';

/** What sending needs beside the work itself. */
export interface Sender {
  readonly destination: Destination<unknown>;
  readonly config: unknown;
  readonly plan: AttributePlan;
  readonly send: Send;
  /** What becomes of an event whose attempt got no answer, where the destination has no key against duplicates. */
  readonly eventsAtMostOnce: boolean;
  /**
   * Waits for a permit; false when there is no time left for one more request, or none may be sent now.
   * @param which a unit's first request is begun only with time for its full length
   */
  readonly permit: (which: 'first' | 'more') => Promise<boolean>;
  /** Longest that a request begun now may take, in ms; shorter than what is left of the lease. */
  readonly deadlineMs: () => number;
  /** Told of a mistake of ours that concerns one event alone. */
  readonly onMistake: (error: unknown) => void;
}

/** What became of one operation. */
export interface Done {
  readonly outcome: Outcome;
  readonly latencyMs: number;
}

/** The requests of one unit of work, one after the other. Each method gives undefined when none may be sent now. */
export interface Requests {
  /** Whether anything was sent. */
  readonly asked: boolean;
  /** What came of each, in order; reads that went well are left out. */
  readonly answers: readonly Outcome[];
  operate(operation: Operation): Promise<Done | undefined>;
  read<Value>(
    exchange: Exchange<Value>,
  ): Promise<{ readonly value: Value; readonly latencyMs: number } | Done | undefined>;
}

export function createRequests(sender: Sender): Requests {
  const { destination, config } = sender;
  const auth = destination.auth(config);
  const answers: Outcome[] = [];
  let asked = false;
  const exchange = async (request: HttpRequest): Promise<Awaited<ReturnType<Send>> | undefined> => {
    if (!(await sender.permit(asked ? 'more' : 'first'))) return undefined;
    asked = true;
    return await sender.send(request, auth, { deadlineMs: sender.deadlineMs() });
  };
  const answered = (outcome: Outcome, latencyMs: number): Done => {
    answers.push(outcome);
    return { outcome, latencyMs };
  };
  return {
    get asked() {
      return asked;
    },
    answers,
    async operate(operation) {
      const result = await exchange(destination.request([operation], config));
      if (result === undefined) return undefined;
      const [outcome] = result.answered ? destination.interpret(result.response, [operation]) : [result.outcome];
      return answered(outcome ?? NO_OUTCOME, result.latencyMs);
    },
    async read(wanted) {
      const result = await exchange(wanted.request);
      if (result === undefined) return undefined;
      const read = result.answered
        ? wanted.interpret(result.response)
        : { ok: false as const, outcome: result.outcome };
      if (read.ok) return { value: read.value, latencyMs: result.latencyMs };
      // Reading changes nothing, so no answer to it is a plain retry.
      const { outcome } = read;
      return answered(outcome.kind === 'unknown' ? { ...outcome, kind: 'retry' } : outcome, result.latencyMs);
    },
  };
}

const NO_OUTCOME: Outcome = { kind: 'unknown', code: 'no_outcome', message: 'The answer could not be read.' };
