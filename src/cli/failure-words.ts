import { redact } from '../core/redact.ts';
import { maskAddress } from '../core/mask.ts';
import type { FailedOne } from '../sql/store/failures.ts';

/** A shorter value could be part of any word. */
const LEAST = 3;
const EMAIL_KEY = 'email:';

/**
 * The words of a failure as they may be shown: without addresses, secrets, and whatever of the person's own data they repeat.
 * @param one with what was to be sent
 * @param code of a Postgres error its message quotes the value itself, which is nowhere else
 */
export function shownWords({ message, payload, address, key }: FailedOne, code: string): string {
  const own = [
    ...valuesOf(payload),
    address ?? '',
    key?.startsWith(EMAIL_KEY) === true ? key.slice(EMAIL_KEY.length) : '',
  ];
  const longestFirst = own.filter((value) => value.length >= LEAST).toSorted((a, b) => b.length - a.length);
  let text = /^[0-9A-Z]{5}$/.test(code) ? message.replaceAll(/"[^"]*"/g, '"[value]"') : message;
  // Addresses go as such; all else by a word of its own.
  for (const value of longestFirst) if (!value.includes('@')) text = text.replaceAll(value, '[value]');
  return redact(text).replaceAll(/\s+/g, ' ').trim();
}

/** Texts and numbers in a JSON value, however deep. */
function valuesOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number' || typeof value === 'bigint') return [String(value)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(valuesOf);
}

/** Who a contact is: the id of the user, or an address that tells little unless it shall be shown. */
export function shownContact({ contact, key, address }: FailedOne, reveal: boolean): string {
  const show = (text: string): string => (reveal ? text : maskAddress(text));
  const who = [contact === null ? 'nobody known' : `contact ${contact}`];
  if (key !== null && !key.startsWith(EMAIL_KEY)) who.push(`user ${key}`);
  const known = address ?? (key?.startsWith(EMAIL_KEY) === true ? key.slice(EMAIL_KEY.length) : null);
  if (known !== null) who.push(show(known));
  return who.join(', ');
}
