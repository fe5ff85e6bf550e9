import type { HttpResponse } from '../../core/destination.ts';
import { isJsonObject } from '../../core/json.ts';
import type { Outcome } from '../../core/outcome.ts';
import { type Problem, readProblems } from './errors.ts';
import { cut, readJson } from '../../core/wire.ts';
import { type Failure, isPlanLimit, malformed } from './failure.ts';

/** Complaints about one parameter: `key 'foo' is too long`, `value for 'bar' is too long` (OpenAPI "Contacts" 2.0.0). */
const ABOUT_PARAMETER = /\b(?:key|value for) '(.*)' /s;

/**
 * What became of an event.
 * @param failure of the status by itself
 */
export function eventOutcome(response: HttpResponse, failure: Failure | undefined): Outcome {
  if (failure === undefined) {
    // "Created" is proof enough, whatever became of the body. Another success may be a proxy's own page.
    const json = response.status === 201 ? {} : readJson(response.body);
    return isJsonObject(json) ? { kind: 'delivered' } : malformed('the answer is no JSON object');
  }
  if (response.status === 404) {
    // The recorded answer to an event of a contact that is not there. Its state is sent again, which creates it.
    return { kind: 'retry', code: 'contact_missing', message: failure.message, forgetRemote: true };
  }
  if (failure.kind !== 'reject' && response.status !== 403) return failure;
  const problems = readProblems(response.body);
  if (isPlanLimit(problems)) return { kind: 'config', code: 'plan_limit', message: failure.message };
  return failure.kind === 'reject' ? refused(problems, failure) : failure;
}

function refused(problems: readonly Problem[], failure: Failure): Failure {
  const { message } = failure;
  for (const { message: words } of problems) {
    const parameter = ABOUT_PARAMETER.exec(words)?.[1];
    if (parameter === undefined) continue;
    const hint = cut(
      `Mailtrap refuses the property "${parameter}" of this event: map a shorter one, or leave it out. It said: ${message}`,
    );
    return { kind: 'reject', code: 'invalid_property', message: hint, field: parameter };
  }
  const first = problems.find(({ field }) => field !== undefined);
  return first === undefined ? failure : { kind: 'reject', code: 'invalid_event', message, field: first.field };
}
