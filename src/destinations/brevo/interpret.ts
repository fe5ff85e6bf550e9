import type { HttpResponse, Operation } from '../../core/destination.ts';
import { isJsonObject } from '../../core/json.ts';
import type { Outcome } from '../../core/outcome.ts';
import { cut, readJson } from '../../core/wire.ts';
import { type Failure, failureOf, malformed, type Problem, readProblem } from './failure.ts';
import { eventOutcomes } from './interpret-event.ts';
import { NOTHING_TO_DO } from './lists.ts';
import { LISTS, namedIn } from './paths.ts';

const ALREADY = /\balready (?:associated|exists?|in use|taken)\b/i;
const IDENTIFIER = /\b(sms|whatsapp|landline(?:[ _]number)?|ext_id|email)\b/i;
const ABOUT_LIST = /\blists?\b.*\b(?:not|invalid)\b|\binvalid\b.*\blists?\b/i;
const ABOUT_PHONE = /\b(?:phone|sms)\b/i;
const ABOUT_EMAIL = /\bemail\b/i;
const PLAN_LIMIT = /\b(?:contacts?|plan)\b.*\blimit\b.*\b(?:reached|exceeded)\b/i;

/**
 * A create or an update was accepted: 201 with the id of a new contact; 204 when it was there. By its id we know it already.
 */
function upserted({ status, body }: HttpResponse, operation: Operation): Outcome {
  const known = namedIn(operation.path);
  const ours = known?.by === 'contact_id' ? known.value : undefined;
  if (status === 204) return ours === undefined ? { kind: 'delivered' } : { kind: 'delivered', remoteId: ours };
  const json = readJson(body);
  if (!isJsonObject(json)) return malformed('the answer is no JSON object');
  const { id } = json;
  if (typeof id === 'number') return { kind: 'delivered', remoteId: String(id), created: status === 201 };
  if (ours !== undefined) return { kind: 'delivered', remoteId: ours };
  return status === 201 ? malformed('the answer holds no contact id') : { kind: 'delivered' };
}

/** 204. A page of something in between is no proof. */
function deleted({ status, body }: HttpResponse): Outcome {
  return status === 204 || isJsonObject(readJson(body))
    ? { kind: 'delivered' }
    : malformed('the answer is no JSON object');
}

/** What another contact has: of `metadata`, else of the words, as both have been seen (github pass-culture-main, pull 22628). */
function duplicatesOf({ code, message, duplicates }: Problem): readonly string[] {
  if (duplicates.length > 0) return duplicates.map((each) => each.toLowerCase());
  if (!ALREADY.test(message)) return code === 'duplicate_parameter' ? ['email'] : [];
  return [IDENTIFIER.exec(message)?.[1]?.toLowerCase() ?? 'email'];
}

function movesAddress({ body }: Operation): boolean {
  const attributes = body?.['attributes'];
  return isJsonObject(attributes) && attributes['EMAIL'] !== undefined;
}

/** A refusal that names what is wrong with the record, the account or the config. */
function refused(problem: Problem, failure: Failure, operation: Operation): Failure {
  const { message } = failure;
  const duplicates = duplicatesOf(problem);
  const other = duplicates.find((each) => each !== 'email');
  if (duplicates.includes('email')) {
    if (movesAddress(operation)) return { kind: 'retry', code: 'email_taken', message, forgetRemote: true };
    // Someone else created the same contact in this moment; the next attempt updates it.
    if (operation.method === 'POST') return { kind: 'retry', code: 'email_conflict', message };
  }
  if (other !== undefined) {
    const field = other.replace(' ', '_').toUpperCase();
    const hint = cut(`Another contact at Brevo has the same ${field}: correct one of them. It said: ${message}`);
    return { kind: 'reject', code: 'duplicate_value', message: hint, field };
  }
  if (PLAN_LIMIT.test(message)) return { kind: 'config', code: 'plan_limit', message };
  // Which lists to join stands in the config, not in the record.
  if ((operation.body?.['listIds'] ?? operation.body?.['unlinkListIds']) !== undefined && ABOUT_LIST.test(message)) {
    return { kind: 'config', code: 'unknown_list', message, field: 'listIds' };
  }
  if (ABOUT_PHONE.test(message)) return { kind: 'reject', code: 'invalid_value', message, field: 'SMS' };
  if (ABOUT_EMAIL.test(message)) return { kind: 'reject', code: 'invalid_email', message, field: 'email' };
  return { ...failure, code: problem.code === '' ? failure.code : problem.code };
}

/** Whether a 404 comes from something that is not the API at all, as behind a wrong base URL. */
function isForeign({ body }: HttpResponse): boolean {
  return body.trim() !== '' && readJson(body) === undefined;
}

function wrongPath({ message }: Failure): Outcome {
  return {
    kind: 'config',
    code: 'wrong_path',
    message: cut(`Brevo has no such path: check base_url. It said: ${message}`),
  };
}

/** 404: the contact is gone, or the path is no path of the API. */
function notFound(response: HttpResponse, operation: Operation, failure: Failure): Outcome {
  const named = namedIn(operation.path);
  if (isForeign(response) || named === undefined) return wrongPath(failure);
  // Gone there: nobody is left to delete, or to opt out by this address.
  if (operation.kind === 'delete' || (operation.kind === 'unsubscribe' && named.by === 'email_id')) {
    return { kind: 'delivered' };
  }
  return { kind: 'retry', code: 'contact_vanished', message: failure.message, forgetRemote: true };
}

/** A contact was taken out of a list, or was on it no more. */
function listLeft(response: HttpResponse, failure: Failure | undefined): Outcome {
  if (failure === undefined) return { kind: 'delivered' };
  if (failure.kind !== 'reject') return failure;
  if (response.status === 404)
    return { kind: 'config', code: 'unknown_list', message: failure.message, field: 'listIds' };
  return NOTHING_TO_DO.test(failure.message) ? { kind: 'delivered' } : failure;
}

function outcomeOf(response: HttpResponse, operation: Operation): Outcome {
  const failure = failureOf(response);
  if (operation.path.startsWith(`${LISTS}/`)) return listLeft(response, failure);
  if (failure === undefined) return operation.kind === 'delete' ? deleted(response) : upserted(response, operation);
  if (failure.kind !== 'reject') return failure;
  const problem = readProblem(response);
  const named = operation.kind === 'delete' ? failure : refused(problem, failure, operation);
  // An unknown list may be a 404 too: then it is not the contact that is missing.
  if (response.status === 404 && named.kind !== 'config') return notFound(response, operation, failure);
  return named;
}

/** One outcome per operation, in order, for any status and body; never throws. */
export function interpret(response: HttpResponse, batch: readonly Operation[]): readonly Outcome[] {
  if (batch[0]?.kind === 'event') return eventOutcomes(response, batch);
  return batch.map((operation) => outcomeOf(response, operation));
}
