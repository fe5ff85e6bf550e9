import { renderJson, type Json } from '../../../core/json.ts';
import type { ApiReply } from '../../../sandbox/api-request.ts';
import type { Dialect } from './settings.ts';

const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8' } as const;

export function reply(status: number, value: Json): ApiReply {
  return { status, headers: JSON_HEADERS, body: renderJson(value) };
}

/** An error as it is meant, before it is written in one of the two shapes. */
export class ApiError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly details: Json;

  constructor(status: number, code: string, message: string, details: Json = {}) {
    this.status = status;
    this.code = code;
    this.message = message;
    this.details = details;
  }

  /** `{statusCode, code, message, details}` (documentation, "Error Codes") or `{error: {code, message, details}}` (sendry-js). */
  reply(style: Dialect): ApiReply {
    const { status, code, message, details } = this;
    if (style === 'sdk') return reply(status, { error: { code, message, details } });
    return reply(status, { statusCode: status, code, message, details });
  }
}

export const unauthorized: ApiError = new ApiError(401, 'unauthorized', 'Missing or invalid API key.');
export const expiredKey: ApiError = new ApiError(401, 'expired_key', 'This API key has expired.');
export const routeNotFound: ApiError = new ApiError(404, 'not_found', 'Route not found.');
export const contactNotFound: ApiError = new ApiError(404, 'not_found', 'Contact not found.');
export const audienceNotFound: ApiError = new ApiError(404, 'not_found', 'Audience not found.');
export const recordNotFound: ApiError = new ApiError(404, 'not_found', 'Record not found.');
export const badJson: ApiError = new ApiError(400, 'bad_request', 'The body is no JSON object.');
export const emailTaken: ApiError = new ApiError(409, 'conflict', 'A contact with this email already exists.');
export const planLimit: ApiError = new ApiError(403, 'plan_limit_reached', "Your plan's contact limit is reached.");
const tooFast: ApiError = new ApiError(429, 'rate_limited', 'Too many requests.');

export function insufficientScope(required: string, current: string): ApiError {
  return new ApiError(
    403,
    'insufficient_scope',
    `This API key requires '${required}' scope or higher. Current scope: '${current}'.`,
  );
}

/** @param fields what is wrong, by field */
export function invalid(fields: Readonly<Record<string, string>>): ApiError {
  const details = Object.entries(fields).map(([field, message]) => ({ field, message }));
  return new ApiError(422, 'validation_error', 'The request is not valid.', details);
}

/** 429 always says how long to wait (skills, "Rate limits"). @param seconds */
export function rateLimited(style: Dialect, seconds: number): ApiReply {
  const answer = tooFast.reply(style);
  return { ...answer, headers: { ...answer.headers, 'Retry-After': String(seconds) } };
}

/** The vendor's words for a status made on demand. */
export function failure(status: number, style: Dialect): ApiReply {
  const known = [unauthorized, routeNotFound, emailTaken, planLimit, tooFast, badJson];
  const named = status === 403 ? insufficientScope('full_access', 'read_only') : known.find((e) => e.status === status);
  if (named !== undefined) return named.reply(style);
  if (status === 402) return new ApiError(402, 'payment_required', 'No valid payment method is on file.').reply(style);
  if (status === 422) return invalid({}).reply(style);
  if (status < 300) return { status, body: null };
  return new ApiError(status, status >= 500 ? 'internal_error' : 'error', `Status ${status}.`).reply(style);
}
