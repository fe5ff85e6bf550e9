import type { HttpResponse } from '../../core/destination.ts';
import * as core from '../../core/failure.ts';
import { isJsonObject } from '../../core/json.ts';
import type { Outcome } from '../../core/outcome.ts';
import { cut, readJson } from '../../core/wire.ts';

/** The vendor's words in an error body. To write: the shapes that its documents and its real answers have. */
function words({ body, status }: HttpResponse): string {
  const json = readJson(body);
  const message = isJsonObject(json) ? json['message'] : undefined;
  return typeof message === 'string' ? cut(message) : `Acme answered with status ${status} and no readable error.`;
}

const ACME: core.Vendor = { name: 'Acme', words };

/** The outcome of a status by itself; `undefined` for a success. */
export function failureOf(response: HttpResponse): core.Failure | undefined {
  return core.failureOf(response, ACME);
}

/** A success that does not say what was done. @param what the end of a sentence */
export function malformed(what: string): core.Failure {
  return core.malformed(ACME.name, what);
}

/** What stopped a read: the status, or an answer in an unexpected shape. */
export function stopped(response: HttpResponse): { readonly ok: false; readonly outcome: Outcome } {
  return core.stopped(response, ACME);
}
