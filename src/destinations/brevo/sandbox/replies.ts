import { type Json, type JsonObject, renderJson } from '../../../core/json.ts';
import type { ApiReply } from '../../../sandbox/api-request.ts';

// Bodies are `{code, message, metadata}` (@getbrevo/brevo 6.0.3, `ContactErrorModel`); the words are those seen in public issues
// where there are any, else ours.

const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8' } as const;

export function reply(status: number, value: Json): ApiReply {
  return { status, headers: JSON_HEADERS, body: renderJson(value) };
}

export function refuse(status: number, code: string, message: string, metadata?: JsonObject): ApiReply {
  return reply(status, metadata === undefined ? { code, message } : { code, message, metadata });
}

export function invalid(message: string): ApiReply {
  return refuse(400, 'invalid_parameter', message);
}

export function missing(message: string): ApiReply {
  return refuse(400, 'missing_parameter', message);
}

export function outOfRange(message: string): ApiReply {
  return refuse(400, 'out_of_range', message);
}

export function notThere(what: string): ApiReply {
  return refuse(404, 'document_not_found', `${what} does not exist`);
}

/** What another contact has: by name, as `email`, `SMS`, `ext_id`. */
export function duplicate(action: 'create' | 'update', identifiers: readonly string[]): ApiReply {
  const verb = identifiers.length > 1 ? 'are' : 'is';
  const message = `Unable to ${action} contact, ${identifiers.join(', ')} ${verb} already associated with another Contact`;
  return refuse(400, 'duplicate_parameter', message, { duplicate_identifiers: identifiers });
}

export const noContent: ApiReply = { status: 204, body: null };
export const noPath: ApiReply = refuse(404, 'document_not_found', 'Route not found');
export const unauthorized: ApiReply = refuse(401, 'unauthorized', 'Key not found');
export const notJson: ApiReply = refuse(400, 'bad_request', 'Input must be a valid JSON object');
export const tooEarly: ApiReply = refuse(425, 'too_early', 'The contact is being processed by another request');
export const tooMany: ApiReply = refuse(429, 'too_many_requests', 'API rate limit exceeded');
export const badAddress: ApiReply = invalid('Invalid email address');

/** The vendor's words for a status made on demand. */
export function failure(status: number): ApiReply {
  switch (status) {
    case 204:
      return noContent;
    case 401:
      return unauthorized;
    case 403:
      return refuse(403, 'permission_denied', 'Your account may not use this');
    case 404:
      return notThere('Contact');
    case 405:
      return refuse(405, 'method_not_allowed', 'Contact can not be deleted');
    case 425:
      return tooEarly;
    case 429:
      return tooMany;
    default:
      return status >= 500
        ? refuse(status, 'internal_error', 'Unexpected error')
        : refuse(status, 'bad_request', `Status ${status}`);
  }
}
