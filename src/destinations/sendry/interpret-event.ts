import type { HttpResponse } from '../../core/destination.ts';
import { isJsonObject } from '../../core/json.ts';
import type { Outcome } from '../../core/outcome.ts';
import { readJson } from '../../core/wire.ts';
import { readError } from './errors.ts';
import { type Failure, malformed } from './failure.ts';

const MISSING = /\b(?:not found|unknown|no such|does not exist)\b/i;
const REPEATED = /\b(?:duplicate|already)\b/i;

/**
 * What became of an event. Repeated under its `event_id` it is answered like the first time, with `deduped: true`.
 * @param failure of the status by itself
 */
export function eventOutcome(response: HttpResponse, failure: Failure | undefined): Outcome {
  if (failure === undefined) {
    return isJsonObject(readJson(response.body)) ? { kind: 'delivered' } : malformed('the answer is no JSON object');
  }
  const { message } = failure;
  const missing: Outcome = { kind: 'retry', code: 'contact_missing', message, forgetRemote: true };
  // The contact's state is sent again, which creates it.
  if (response.status === 404) return missing;
  if (failure.kind !== 'reject') return failure;
  const { problems } = readError(response.body);
  if (response.status === 409 && REPEATED.test(message)) return { kind: 'delivered' };
  const contact = problems.find(({ field }) => field === 'contact_id' || field === 'contact_email');
  if (contact !== undefined && MISSING.test(contact.message)) return missing;
  const first = problems.find(({ field }) => field !== undefined);
  return first === undefined ? failure : { kind: 'reject', code: 'invalid_event', message, field: first.field };
}
