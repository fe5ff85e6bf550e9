import { RollcallError } from '../../core/errors.ts';
import { isJsonObject } from '../../core/json.ts';
import { retryAfterMs } from '../../core/retry-after.ts';
import type { Logger } from '../../engine/ports.ts';
import { pause } from '../../engine/wake.ts';
import { type Answered, type Asking, ask, AWAY_HINT, hostOf, KEY_HINT, type Project } from './project.ts';

/** A project's APIs, asked with patience: what passes is waited out. */
export interface Client {
  readonly host: string;
  /**
   * Asks until there is an answer that means something: limits, outages and lost connections are waited out.
   * @returns any answer but those, and but 401 and 403
   * @throws RollcallError `RC_PROJECT_KEY`, `RC_PROJECT_AWAY` after the last try; `Stopped` when the signal aborts
   */
  ask(path: string, asking?: Asking): Promise<Answered>;
  /** Requests so far. */
  requests(): number;
}

export interface ClientOptions extends Project {
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** How often one question is put at most; without end when absent. */
  readonly tries?: number | undefined;
}

/** The signal has aborted. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

/** PostgREST cancels at 8 s (`authenticator`), Auth at 10 s; a large page takes a moment to arrive. */
const DEADLINE_MS = 30_000;
/** A page of users, or of wide rows. */
export const LONGEST_PAGE: number = 8 * 2 ** 20;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 60_000;
/** What a gateway or a service says while it is down or busy. */
const PASSES: readonly number[] = [408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 540, 544];
/** An outage is told once in so many tries. */
const TELL_EVERY = 5;

export function createClient(options: ClientOptions): Client {
  const { log, signal, tries = Number.POSITIVE_INFINITY } = options;
  const host = hostOf(options.url);
  let requests = 0;
  return {
    host,
    requests: () => requests,
    async ask(path, asking = {}) {
      for (let tried = 1; ; tried += 1) {
        if (signal.aborted) throw new Stopped();
        requests += 1;
        const answer = await ask(options, path, { deadlineMs: DEADLINE_MS, longest: LONGEST_PAGE, ...asking, signal });
        if (signal.aborted) throw new Stopped();
        if (answer.answered && isRefused(answer)) throw refusedKey(host, answer.status);
        if (answer.answered && !passes(answer)) return answer;
        const why = answer.answered ? `HTTP ${answer.status}` : answer.code;
        if (tried >= tries) throw away(host, why);
        if (tried % TELL_EVERY === 1) log.warn({ host, why }, 'the project does not answer; asking again');
        await pause(waitMs(answer.answered ? answer : undefined, tried), signal);
      }
    },
  };
}

/** Whether an answer says that the statement took too long: fewer rows may not. */
export function tookTooLong({ json }: Answered): boolean {
  return isJsonObject(json) && json['code'] === '57014';
}

/** What Postgres says goes with the request, not with the moment: 42501 is a right that is missing, and told by whoever asked. */
function isRefused({ status, json }: Answered): boolean {
  if (status !== 401 && status !== 403) return false;
  return !(isJsonObject(json) && json['code'] === '42501');
}

function passes(answer: Answered): boolean {
  return PASSES.includes(answer.status) && !tookTooLong(answer) && !isBroken(answer);
}

/**
 * Auth cannot read a user whose tokens are null, as those that were inserted by SQL, and then lists nobody: no waiting mends that
 * (https://github.com/supabase/auth/issues/1940).
 */
export function isBroken({ status, json }: Answered): boolean {
  return status === 500 && isJsonObject(json) && json['msg'] === 'Database error finding users';
}

/** As the answer says, else twice as long each time; somewhat apart, as others wait too. */
function waitMs(answer: Answered | undefined, tried: number): number {
  const said = answer === undefined ? undefined : retryAfterMs(answer.headers);
  const own = FIRST_WAIT_MS * 2 ** Math.min(tried - 1, 10) * (0.75 + Math.random() / 2);
  return Math.min(LONGEST_WAIT_MS, Math.max(said ?? 0, own));
}

function refusedKey(host: string, status: number): RollcallError {
  return new RollcallError('RC_PROJECT_KEY', `The API of ${host} refuses the key (HTTP ${status}).`, {
    hint: KEY_HINT,
  });
}

function away(host: string, why: string): RollcallError {
  return new RollcallError('RC_PROJECT_AWAY', `The API of ${host} can't be reached (${why}).`, {
    hint: AWAY_HINT,
  });
}
