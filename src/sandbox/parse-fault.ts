import { RollcallError } from '../core/errors.ts';
import { faultRule, type FaultRule } from './faults.ts';

const FORMS =
  'Forms: status=500,rate=0.3 | latency=200ms | drop=after,rate=0.1 | body=malformed | reject=a@b.com | count=5';

type Draft = { -readonly [Key in keyof FaultRule]: FaultRule[Key] } & { match?: NonNullable<FaultRule['match']> };

const SETTERS: Readonly<Record<string, (value: string, draft: Draft) => void>> = {
  status: (value, draft) => void (draft.status = number(value)),
  rate: (value, draft) => void (draft.rate = number(value)),
  count: (value, draft) => void (draft.count = number(value)),
  latency: (value, draft) => void (draft.latencyMs = milliseconds(value)),
  at: (value, draft) => void (draft.latencyAt = value as 'before'),
  drop: (value, draft) => void (draft.drop = value as 'before'),
  body: (value, draft) => void (draft.body = value as 'empty'),
  reject: (value, draft) => void (draft.reject = value),
  'retry-after': (value, draft) => void (draft.retryAfter = number(value)),
  destination: (value, draft) => void (draft.match = { ...draft.match, destination: value }),
  method: (value, draft) => void (draft.match = { ...draft.match, method: value }),
  path: (value, draft) => void (draft.match = { ...draft.match, path: value }),
  email: (value, draft) => void (draft.match = { ...draft.match, email: value }),
};

/**
 * Reads a rule as written on a command line: `key=value` pairs with commas between them.
 * Keys: status, rate, count, latency (`200ms`, `2s`), at, drop, body, reject, retry-after, destination,
 * method, path, email.
 * @throws RollcallError `RC_FAULT_INVALID`
 */
export function parseFault(text: string): FaultRule {
  const draft: Draft = {};
  const seen = new Set<string>();
  for (const pair of text.split(',').map((part) => part.trim())) {
    const split = pair.indexOf('=');
    const key = pair.slice(0, split);
    const value = pair.slice(split + 1).trim();
    const set = Object.hasOwn(SETTERS, key) ? SETTERS[key] : undefined;
    if (split < 1 || value === '') throw invalid(text, `"${pair}" is not of the form key=value`);
    if (set === undefined) throw invalid(text, `"${key}" is not known (known: ${Object.keys(SETTERS).join(', ')})`);
    if (seen.has(key)) throw invalid(text, `"${key}" is given twice`);
    seen.add(key);
    set(value, draft);
  }
  const checked = faultRule.safeParse(draft);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  const place = issue === undefined || issue.path.length === 0 ? 'the rule' : `"${issue.path.join('.')}"`;
  throw invalid(text, `${place}: ${issue?.message ?? 'is not valid'}`);
}

function number(value: string): number {
  return /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
}

function milliseconds(value: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(value);
  return match === null ? Number.NaN : Number(match[1]) * (match[2] === 's' ? 1000 : 1);
}

function invalid(text: string, what: string): RollcallError {
  return new RollcallError('RC_FAULT_INVALID', `The fault "${text}" can't be used: ${what}.`, { hint: FORMS });
}
