import { renderJson, type Json } from '../../../core/json.ts';
import type { ApiReply } from '../../../sandbox/api-request.ts';

// The bodies are those of the vendor's own description and of its recorded traffic (contacts.openapi.yml; VCR
// cassettes of mailtrap-ruby), contradictions included: some errors come under `error`, some under `errors`.

const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8' } as const;

/** Validation errors by attribute; those of the record as a whole stand under `base`. */
export type Invalid = Readonly<Record<string, readonly string[]>>;

/** How 422 bodies of single records look: as the schema says, or as the examples beside it show (`[["is invalid"]]`). */
export type ErrorStyle = 'flat' | 'nested';

export function reply(status: number, value: Json): ApiReply {
  return { status, headers: JSON_HEADERS, body: renderJson(value) };
}

export const noContent: ApiReply = { status: 204, body: null };
export const notFound: ApiReply = reply(404, { error: 'Not Found' });
export const contactNotFound: ApiReply = reply(404, { errors: 'Contact(s) not found' });
export const unauthorized: ApiReply = reply(401, { error: 'Incorrect API token' });
export const forbidden: ApiReply = reply(403, { errors: 'Account access forbidden' });
export const rateLimited: ApiReply = reply(429, { errors: 'Rate limit exceeded' });
/** The vendor documents no answer to a body that is no JSON: ours to choose. */
export const badRequest: ApiReply = reply(400, { error: 'Bad Request' });
/** The vendor documents no size limit: ours to choose. */
const tooLarge: ApiReply = reply(413, { error: 'Payload Too Large' });

export function invalid(errors: Invalid, style: ErrorStyle = 'flat'): ApiReply {
  if (style === 'flat') return reply(422, { errors });
  return reply(422, { errors: Object.fromEntries(Object.entries(errors).map(([key, words]) => [key, [words]])) });
}

/** The vendor's words for a status made on demand. */
export function failure(status: number): ApiReply {
  switch (status) {
    case 401:
      return unauthorized;
    case 403:
      return forbidden;
    case 404:
      return notFound;
    case 413:
      return tooLarge;
    case 422:
      return invalid({ base: ['is invalid'] });
    case 429:
      return rateLimited;
    case 204:
      return noContent;
    default:
      return status >= 500
        ? reply(status, { errors: 'Unexpected error' })
        : reply(status, { error: `Status ${status}` });
  }
}
