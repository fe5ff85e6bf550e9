import type { HttpResponse, Operation } from '../../core/destination.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { Outcome } from '../../core/outcome.ts';
import { type Problem, readProblems } from './errors.ts';
import { cut, readJson } from '../../core/wire.ts';
import { type Failure, failureOf, isPlanLimit, malformed } from './failure.ts';
import { eventOutcome } from './interpret-event.ts';
import { contactOf, isByAddress } from './paths.ts';

const EMAIL_TAKEN = /\b(?:taken|already (?:exists|in use|used))\b/i;
const UNKNOWN_FIELD = /contains invalid values?:?\s*(.*)/is;
// Letters every router passes through a path; a 404 to such an address is about the path, not about the address.
const PLAIN_ADDRESS = /^[\w.+-]+@[\w.-]+$/;

function emailIn(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value.includes('@') ? value.toLowerCase() : undefined;
}

/** PATCH answered 2xx: `{"action": "created" | "updated", "data": {"id", "email", ...}}`. */
function upserted(response: HttpResponse, operation: Operation): Outcome {
  const json = readJson(response.body);
  if (json === undefined || !isJsonObject(json)) return malformed('the answer is no JSON object');
  const data: JsonObject = isJsonObject(json['data']) ? json['data'] : {};
  const id = data['id'];
  if (typeof id !== 'string' || id === '') return malformed('the answer holds no contact id');
  const created = json['action'] === 'created';
  // Whom an opt-out found under the id, or whether it made the contact again, is the same to it.
  if (isByAddress(operation) || operation.kind === 'unsubscribe') return { kind: 'delivered', remoteId: id, created };
  if (created) {
    // Made anew without what only a first delivery says (lists, an opt-out): say it now, by address.
    const message = 'The contact was gone at Mailtrap and was created again.';
    return { kind: 'retry', code: 'recreated', message, forgetRemote: true };
  }
  const contact = operation.body?.['contact'];
  const wanted = emailIn(isJsonObject(contact) ? contact['email'] : undefined);
  const has = emailIn(data['email']);
  if (wanted !== undefined && has !== undefined && wanted !== has) {
    // Changing the address through PATCH is implied by the API's description but never shown.
    const message = 'Mailtrap accepted the update but kept another address.';
    return { kind: 'retry', code: 'email_kept', message, forgetRemote: true };
  }
  return { kind: 'delivered', remoteId: id, created };
}

/**
 * A refusal that names what is wrong with the record, the account or the config.
 * @param byId whether the contact was named by its id, and not by its address
 */
export function refused(problems: readonly Problem[], failure: Failure, byId = false): Failure {
  const { message } = failure;
  if (isPlanLimit(problems)) return { kind: 'config', code: 'plan_limit', message };
  if (problems.some(({ field, message: words }) => field === 'email' && EMAIL_TAKEN.test(words))) {
    return byId
      ? { kind: 'retry', code: 'email_taken', message, forgetRemote: true }
      : // Someone else created the same contact in this moment; the next attempt updates it.
        { kind: 'retry', code: 'email_conflict', message };
  }
  // Which lists to join stands in the config, not in the record.
  const list = problems.find(({ field }) => field !== undefined && /^list_ids?_(?:included|excluded)$/.test(field));
  if (list !== undefined) return { kind: 'config', code: 'unknown_list', message, field: list.field };
  for (const { field, message: words } of problems) {
    const found = field === 'fields' ? UNKNOWN_FIELD.exec(words) : null;
    if (found === null) continue;
    const hint = cut(`Mailtrap does not know a field; run \`rollcall apply\` to create it. It said: ${message}`);
    return { kind: 'reject', code: 'unknown_field', message: hint, field: found[1]?.trim() || 'fields' };
  }
  if (problems.some(({ field }) => field === 'email'))
    return { kind: 'reject', code: 'invalid_email', message, field: 'email' };
  const first = problems.find(({ field }) => field !== undefined);
  return first === undefined ? failure : { kind: 'reject', code: 'invalid_field', message, field: first.field };
}

/** 404 to a PATCH; the vendor declares none, as PATCH creates what is missing. */
function notFound(operation: Operation, failure: Failure): Failure {
  const { message } = failure;
  if (!isByAddress(operation)) return { kind: 'retry', code: 'contact_vanished', message, forgetRemote: true };
  // One odd address that a router stumbles over must not pause everybody.
  if (!PLAIN_ADDRESS.test(contactOf(operation))) return { kind: 'reject', code: 'http_404', message, field: 'email' };
  return {
    kind: 'config',
    code: 'wrong_path',
    message: cut(`Mailtrap has no such path: check base_url and account_id. It said: ${message}`),
  };
}

/** Whether a 404 comes from something that is not the API at all, as behind a wrong base URL. */
function isForeign(body: string): boolean {
  return body.trim() !== '' && readJson(body) === undefined;
}

const FOREIGN: Outcome = {
  kind: 'config',
  code: 'wrong_path',
  message: 'The answer is not from Mailtrap’s API: check base_url.',
};

function outcomeOf(response: HttpResponse, operation: Operation): Outcome {
  const failure = failureOf(response);
  if (response.status === 404 && operation.kind !== 'upsert' && isForeign(response.body)) return FOREIGN;
  if (operation.kind === 'event') return eventOutcome(response, failure);
  if (operation.kind === 'delete') {
    if (response.status === 404) return { kind: 'delivered' };
    if (failure !== undefined) return failure;
    // A page of something in between says nothing of what was deleted.
    return isForeign(response.body) ? malformed('the answer is no JSON') : { kind: 'delivered' };
  }
  if (failure === undefined) return upserted(response, operation);
  if (response.status === 404) return notFound(operation, failure);
  if (failure.kind !== 'reject' && response.status !== 403) return failure;
  const problems = readProblems(response.body);
  const named = refused(problems, failure, !isByAddress(operation));
  // 401 and 403 are about the account, whatever the words; only the plan limit has its own code.
  return failure.kind === 'reject' || named.code === 'plan_limit' ? named : failure;
}

/** One outcome per operation, in order, for any status and body; never throws. */
export function interpret(response: HttpResponse, batch: readonly Operation[]): readonly Outcome[] {
  return batch.map((operation) => outcomeOf(response, operation));
}
