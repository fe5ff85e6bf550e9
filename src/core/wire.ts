import type { HttpRequest } from './destination.ts';
import { type Json, parseJson } from './json.ts';

/** Sent with every JSON request; authentication is added by the transport. */
export const JSON_HEADERS: Readonly<Record<string, string>> = {
  accept: 'application/json',
  'content-type': 'application/json',
  'user-agent': 'rollcall',
};

const LONGEST_MESSAGE = 500;

/** A GET of JSON. */
export function getJson(url: string): HttpRequest {
  return { method: 'GET', url, headers: JSON_HEADERS, body: null };
}

/** A text as one path segment. Never throws, and never becomes a dot segment that a URL parser would resolve away. */
export function pathSegment(text: string): string {
  // encodeURIComponent throws on half a surrogate pair.
  const encoded = encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\u{fffd}'));
  // URL parsers treat %2E like a dot. Encoded twice it names nobody, so the vendor refuses it with a reason.
  return encoded === '.' || encoded === '..' ? encoded.replaceAll('.', '%252E') : encoded;
}

/** JSON text as a value; undefined when it is none. Never throws, however deep the text is nested. */
export function readJson(body: string): Json | undefined {
  try {
    return parseJson(body);
  } catch {
    return undefined;
  }
}

/** A vendor's words as they are kept: at most 500 UTF-16 units, never ending in half a character. */
export function cut(text: string): string {
  if (text.length <= LONGEST_MESSAGE) return text;
  return `${text.slice(0, LONGEST_MESSAGE - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
