import type { Auth, HttpRequest } from '../core/destination.ts';
import { signatureHeaders } from './sign.ts';

/** Longer answers are cut here, in bytes. */
export const LONGEST_BODY = 1_048_576;

/** What a request is sent with, names in lower case: its own headers, and the authentication. */
export function headersOf(request: HttpRequest, auth: Auth, now: () => number): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name in request.headers) headers[name.toLowerCase()] = request.headers[name] ?? '';
  if ('sign' in auth) return Object.assign(headers, signatureHeaders(request, auth.secrets, now()));
  headers[auth.header.toLowerCase()] = auth.value;
  return headers;
}

/** Shorter ones are words that any answer may hold. */
const SHORTEST_SECRET = 8;

/** What an answer must not bring back to us, as its words are kept: the key without the scheme before it. */
export function secretsOf(auth: Auth): readonly string[] {
  const all = 'sign' in auth ? auth.secrets : [auth.value.slice(auth.value.lastIndexOf(' ') + 1)];
  return all.filter((secret) => secret.length >= SHORTEST_SECRET);
}

/** A text without the secrets that were sent: an answer may repeat them. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((left, secret) => left.replaceAll(secret, '[secret]'), text);
}
