import type { Operation } from '../../core/destination.ts';
import { pathSegment } from '../../core/wire.ts';
import type { MailtrapConfig } from './config.ts';

/** The contacts collection: with the account in the path when the config names one. */
export function contactsPath(config: MailtrapConfig): string {
  return config.account_id === undefined ? '/api/contacts' : `/api/accounts/${config.account_id}/contacts`;
}

/** The suppressions of the account, in the same two styles. */
export function suppressionsPath(config: MailtrapConfig): string {
  return config.account_id === undefined ? '/api/suppressions' : `/api/accounts/${config.account_id}/suppressions`;
}

/** One contact, by id or by address (both are accepted in the same place). */
export function contactPath(config: MailtrapConfig, idOrAddress: string): string {
  return `${contactsPath(config)}/${pathSegment(idOrAddress)}`;
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
