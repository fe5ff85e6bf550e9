import * as z from 'zod';
import type { CallSubject } from './api-request.ts';

/** What goes wrong on purpose, for which calls, and how often. All rules that match a call act together. */
export interface FaultRule {
  /** Which calls; all of them when absent. */
  readonly match?:
    | {
        /** The id of a destination. */
        readonly destination?: string | undefined;
        readonly method?: string | undefined;
        /** A regular expression looked for in the path as sent, without what leads to the stand-in itself. */
        readonly path?: string | undefined;
        /** An address the call names in its path or body. */
        readonly email?: string | undefined;
      }
    | undefined;
  /** Share of the matching calls, 0 to 1; 1 when absent. */
  readonly rate?: number | undefined;
  /** Only for the first so many calls it acts on. */
  readonly count?: number | undefined;
  /** Answers this status without acting. */
  readonly status?: number | undefined;
  /** Seconds in a `Retry-After` header beside the status. */
  readonly retryAfter?: number | undefined;
  readonly latencyMs?: number | undefined;
  /** Wait before acting (default: a late request) or after acting (a late answer). */
  readonly latencyAt?: 'before' | 'after' | undefined;
  /** Cuts the connection before acting (a lost request) or after acting (a lost answer). */
  readonly drop?: 'before' | 'after' | undefined;
  /** Acts (unless `status` is set) and spoils the body of the answer. */
  readonly body?: 'malformed' | 'empty' | 'html' | undefined;
  /** Refuses writes of this one address, the vendor's way. */
  readonly reject?: string | undefined;
}

const email = z.string().min(1);

/** Checks a rule that came as data. A rule that could do nothing is refused. */
export const faultRule: z.ZodType<FaultRule> = z
  .strictObject({
    match: z
      .strictObject({
        destination: z.string().min(1).optional(),
        method: z
          .string()
          .regex(/^[A-Za-z]+$/, 'must be an HTTP method')
          .optional(),
        path: z.string().refine(isRegExp, 'must be a regular expression').optional(),
        email: email.optional(),
      })
      .optional(),
    rate: z.number().min(0).max(1).optional(),
    count: z.int().min(1).optional(),
    status: z.int().min(200).max(599).optional(),
    retryAfter: z.number().min(0).optional(),
    latencyMs: z.number().min(0).max(600_000).optional(),
    latencyAt: z.enum(['before', 'after']).optional(),
    drop: z.enum(['before', 'after']).optional(),
    body: z.enum(['malformed', 'empty', 'html']).optional(),
    reject: email.optional(),
  })
  .refine(
    (rule) => [rule.status, rule.latencyMs, rule.drop, rule.body, rule.reject].some((effect) => effect !== undefined),
    'does nothing: give one of status, latency, drop, body, reject',
  );

/** A rule in force: its pattern compiled and the calls it may still act on counted. */
export interface ActiveFault {
  readonly rule: FaultRule;
  readonly path: RegExp | null;
  /** Calls it may still act on; `Infinity` without a `count`. */
  readonly left: number;
}

/** What shall happen to one call. */
export interface FaultVerdict {
  readonly waitBeforeMs: number;
  readonly waitAfterMs: number;
  readonly drop: 'before' | 'after' | null;
  readonly status: number | null;
  readonly retryAfter: number | null;
  readonly body: NonNullable<FaultRule['body']> | null;
  readonly reject: boolean;
  /** Positions of the rules that act. */
  readonly acting: readonly number[];
}

export interface FaultCall extends CallSubject {
  readonly destination: string;
  readonly method: string;
  readonly path: string;
}

export function activate(rule: FaultRule): ActiveFault {
  const path = rule.match?.path;
  return { rule, path: path === undefined ? null : new RegExp(path), left: rule.count ?? Infinity };
}

/**
 * Decides what happens to a call. Waits add up; of two rules that set the same thing the first in the list wins.
 * @param random numbers in [0, 1), one drawn for each rule that matches
 */
export function decideFault(
  faults: readonly ActiveFault[],
  call: FaultCall,
  random: () => number,
): FaultVerdict | null {
  const acting = faults.flatMap((fault, index) =>
    fault.left > 0 && matches(fault, call) && random() < (fault.rule.rate ?? 1) ? [index] : [],
  );
  if (acting.length === 0) return null;
  const rules = acting.map((index) => faults[index]!.rule);
  const wait = (at: 'before' | 'after'): number =>
    rules.reduce((sum, rule) => sum + ((rule.latencyAt ?? 'before') === at ? (rule.latencyMs ?? 0) : 0), 0);
  const withStatus = rules.find((rule) => rule.status !== undefined);
  return {
    waitBeforeMs: wait('before'),
    waitAfterMs: wait('after'),
    drop: rules.find((rule) => rule.drop !== undefined)?.drop ?? null,
    status: withStatus?.status ?? null,
    retryAfter: withStatus?.retryAfter ?? null,
    body: rules.find((rule) => rule.body !== undefined)?.body ?? null,
    reject: rules.some((rule) => rule.reject !== undefined),
    acting,
  };
}

/** A verdict in a few words, for the call log and the page. */
export function describeVerdict(verdict: FaultVerdict): string {
  const words = [
    verdict.drop === null ? '' : `dropped ${verdict.drop} acting`,
    verdict.status === null ? '' : `status ${verdict.status}`,
    verdict.reject ? 'rejected' : '',
    verdict.body === null ? '' : `${verdict.body} body`,
    verdict.waitBeforeMs + verdict.waitAfterMs > 0 ? `+${verdict.waitBeforeMs + verdict.waitAfterMs} ms` : '',
  ];
  return words.filter((word) => word !== '').join(', ');
}

function matches(fault: ActiveFault, call: FaultCall): boolean {
  const { match, reject } = fault.rule;
  if (reject !== undefined && !(call.writesContact && call.emails.includes(reject.toLowerCase()))) return false;
  if (match?.destination !== undefined && match.destination !== call.destination) return false;
  if (match?.method !== undefined && match.method.toUpperCase() !== call.method) return false;
  if (match?.email !== undefined && !call.emails.includes(match.email.toLowerCase())) return false;
  return fault.path === null || fault.path.test(call.path);
}

function isRegExp(source: string): boolean {
  try {
    return new RegExp(source) instanceof RegExp;
  } catch {
    return false;
  }
}
