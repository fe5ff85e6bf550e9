import type { Operation } from '../../core/destination.ts';
import type { MailtrapConfig } from './config.ts';

/** A text as one path segment. Never throws, and never becomes a dot segment that a URL parser would resolve away. */
function segment(text: string): string {
  // encodeURIComponent throws on half a surrogate pair.
  const encoded = encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\u{fffd}'));
  // URL parsers treat %2E like a dot. Encoded twice it names nobody, so the vendor refuses it with a reason.
  return encoded === '.' || encoded === '..' ? encoded.replaceAll('.', '%252E') : encoded;
}

/** The contacts collection: with the account in the path when the config names one. */
export function contactsPath(config: MailtrapConfig): string {
  return config.account_id === undefined ? '/api/contacts' : `/api/accounts/${config.account_id}/contacts`;
}

/** One contact, by id or by address (both are accepted in the same place). */
export function contactPath(config: MailtrapConfig, idOrAddress: string): string {
  return `${contactsPath(config)}/${segment(idOrAddress)}`;
}

/** What an operation's path names: the last segment, decoded. */
export function contactOf(operation: Operation): string {
  const last = operation.path.slice(operation.path.lastIndexOf('/') + 1);
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** Whether an operation names its contact by address rather than by id. Ids are UUIDs and hold no `@`. */
export function isByAddress(operation: Operation): boolean {
  return contactOf(operation).includes('@');
}
