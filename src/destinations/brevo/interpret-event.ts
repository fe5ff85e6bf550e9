import type { HttpResponse, Operation } from '../../core/destination.ts';
import { isJsonObject, type Json } from '../../core/json.ts';
import type { Outcome } from '../../core/outcome.ts';
import { cut, readJson } from '../../core/wire.ts';
import { type Failure, failureOf, malformed } from './failure.ts';

/** What is wrong with which events of a request, by their place in it. */
function errorsByPlace(json: Json | undefined): { readonly named: Map<number, string>; readonly unnamed: boolean } {
  const named = new Map<number, string>();
  const errors = isJsonObject(json) && Array.isArray(json['errors']) ? (json['errors'] as readonly Json[]) : [];
  let unnamed = false;
  for (const error of errors) {
    const { eventIndex, message } = isJsonObject(error) ? error : {};
    const places = Array.isArray(eventIndex) ? eventIndex : [eventIndex];
    const numbers = places.filter((place) => typeof place === 'number');
    if (numbers.length === 0) unnamed = true;
    for (const place of numbers) named.set(place, typeof message === 'string' ? message : 'Brevo refused the event.');
  }
  return { named, unnamed };
}

/**
 * What became of events: 204 for one; 202 when all of a request were accepted, and 207 with the places of those that were not
 * (@getbrevo/brevo 6.0.3, `BatchEventsResponse`; developers.brevo.com/changelog/2026/3/3).
 */
export function eventOutcomes(response: HttpResponse, batch: readonly Operation[]): Outcome[] {
  const failure = failureOf(response);
  if (failure !== undefined) {
    const { named } = failure.kind === 'reject' ? errorsByPlace(readJson(response.body)) : { named: new Map() };
    return batch.map((_, n) => refused(failure, named.get(n) as string | undefined));
  }
  if (response.status !== 207) return batch.map(() => accepted(response));
  const { named, unnamed } = errorsByPlace(readJson(response.body));
  const rest: Outcome =
    unnamed || named.size === 0 ? malformed('it does not say which events it refused') : { kind: 'delivered' };
  return batch.map((_, n) => {
    const message = named.get(n);
    return message === undefined ? rest : { kind: 'reject', code: 'invalid_event', message: cut(message) };
  });
}

function accepted({ status, body }: HttpResponse): Outcome {
  // Another success may be a proxy's own page.
  const known = status === 202 || status === 204 || isJsonObject(readJson(body));
  return known ? { kind: 'delivered' } : malformed('the answer is not one of the API');
}

function refused(failure: Failure, words: string | undefined): Outcome {
  if (failure.kind !== 'reject' || failure.code === 'http_404')
    return failure.kind === 'reject' ? wrongPath(failure) : failure;
  return { ...failure, code: 'invalid_event', message: cut(words ?? failure.message) };
}

function wrongPath({ message }: Failure): Outcome {
  return {
    kind: 'config',
    code: 'wrong_path',
    message: cut(`Brevo has no such path: check base_url. It said: ${message}`),
  };
}
