import type { HttpResponse, Operation } from '../../core/destination.ts';
import { isJsonObject, type Json } from '../../core/json.ts';
import type { Outcome } from '../../core/outcome.ts';
import { cut, readJson } from '../../core/wire.ts';
import { contactIn, idOf, subscriptionOf } from './contact.ts';
import { readError, type SendryError } from './errors.ts';
import { type Failure, failureOf, FOREIGN, isForeign, malformed } from './failure.ts';
import { eventOutcome } from './interpret-event.ts';
import { CONTACTS, isMembersPath } from './paths.ts';

const TAKEN = /\b(?:taken|duplicate|already (?:exists|in use|used))\b/i;
const AUDIENCE = /\baudience/i;

function emailIn(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value.includes('@') ? value.toLowerCase() : undefined;
}

/** A contact was created or updated: the answer is the contact. */
function accepted(response: HttpResponse, { kind, method, body }: Operation): Outcome {
  const contact = contactIn(response.body);
  if (contact === undefined) return malformed('the answer is no JSON object');
  if (body?.['unsubscribed'] === true && subscriptionOf(contact) === 'subscribed') {
    // Going on would subscribe one person after the other.
    const message =
      'Sendry accepted a contact that must not be mailed and left it subscribed. Unsubscribe it there, and please report this.';
    return { kind: 'config', code: 'opt_out_ignored', message };
  }
  const id = idOf(contact);
  if (id === undefined) return malformed('the answer holds no contact id');
  const wanted = emailIn(body?.['email']);
  const has = emailIn(contact['email']);
  if (kind === 'upsert' && method !== 'POST' && wanted !== undefined && has !== undefined && wanted !== has) {
    const message = 'Sendry accepted the update but kept another address.';
    return { kind: 'retry', code: 'email_kept', message, forgetRemote: true };
  }
  return { kind: 'delivered', remoteId: id };
}

function saysAudience({ message, problems }: SendryError): boolean {
  return AUDIENCE.test(message ?? '') || problems.some(({ field, message: words }) => AUDIENCE.test(field ?? words));
}

function unknownList({ message }: Failure): Failure {
  // Which audience to join stands in the config, not in the record.
  return { kind: 'config', code: 'unknown_list', message, field: 'audience_id' };
}

/** A refusal that names what is wrong with the record, its id or the config. */
function refused(response: HttpResponse, operation: Operation, failure: Failure): Failure {
  const { message } = failure;
  const error = readError(response.body);
  const creates = operation.path === CONTACTS;
  if (creates && saysAudience(error)) return unknownList(failure);
  const aboutEmail = error.problems.some(({ field }) => field === 'email');
  const taken = TAKEN.test([error.message, ...error.problems.map((problem) => problem.message)].join(' '));
  if (response.status === 409 || (aboutEmail && taken)) {
    return creates
      ? // Somebody else created the same contact in this moment; the next attempt finds it.
        { kind: 'retry', code: 'email_conflict', message }
      : { kind: 'retry', code: 'email_taken', message, forgetRemote: true };
  }
  if (aboutEmail) return { kind: 'reject', code: 'invalid_email', message, field: 'email' };
  const first = error.problems.find(({ field }) => field !== undefined);
  return first === undefined ? failure : { kind: 'reject', code: 'invalid_field', message, field: first.field };
}

function notFound(response: HttpResponse, operation: Operation, failure: Failure): Failure {
  const { message } = failure;
  if (operation.path !== CONTACTS) return { kind: 'retry', code: 'contact_vanished', message, forgetRemote: true };
  if (saysAudience(readError(response.body))) return unknownList(failure);
  const hint = cut(`Sendry has no such path: check base_url. It said: ${message}`);
  return { kind: 'config', code: 'wrong_path', message: hint };
}

/** POST /v1/audiences/{id}/contacts: `{"added": n}`, 0 for who was in it already. */
function joined(response: HttpResponse, operation: Operation, failure: Failure | undefined): Outcome {
  const ids = operation.body?.['contact_ids'];
  const remoteId = Array.isArray(ids) && typeof ids[0] === 'string' ? ids[0] : undefined;
  const done: Outcome = remoteId === undefined ? { kind: 'delivered' } : { kind: 'delivered', remoteId };
  if (failure === undefined) {
    return isJsonObject(readJson(response.body)) ? done : malformed('the answer is no JSON object');
  }
  if (response.status === 409) return done;
  if (response.status !== 404 && failure.kind !== 'reject') return failure;
  const { message } = failure;
  const isOfContact = /\bcontact/i.test(message) && !AUDIENCE.test(message);
  return isOfContact ? { kind: 'retry', code: 'contact_vanished', message, forgetRemote: true } : unknownList(failure);
}

/** `{"deleted": true}`; who is not there is deleted. */
function deleted({ status, body }: HttpResponse, failure: Failure | undefined): Outcome {
  if (status === 404) return { kind: 'delivered' };
  if (failure !== undefined) return failure;
  // A page of something in between says nothing of what was deleted.
  const isAnswer = body.trim() === '' || isJsonObject(readJson(body));
  return isAnswer ? { kind: 'delivered' } : malformed('the answer is no JSON object');
}

function outcomeOf(response: HttpResponse, operation: Operation): Outcome {
  if (isForeign(response)) return FOREIGN;
  const failure = failureOf(response);
  if (operation.kind === 'event') return eventOutcome(response, failure);
  if (operation.kind === 'delete') return deleted(response, failure);
  if (isMembersPath(operation.path)) return joined(response, operation, failure);
  if (failure === undefined) return accepted(response, operation);
  if (response.status === 404) return notFound(response, operation, failure);
  return failure.kind === 'reject' ? refused(response, operation, failure) : failure;
}

/** One outcome per operation, in order, for any status and body; never throws. */
export function interpret(response: HttpResponse, batch: readonly Operation[]): readonly Outcome[] {
  return batch.map((operation) => outcomeOf(response, operation));
}
