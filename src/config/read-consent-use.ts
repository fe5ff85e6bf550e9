import type { ConsentPolicy } from '../core/mapping.ts';
import { readChoice, readItem, wrongType } from './fields.ts';
import type { Issues } from './issues.ts';
import { type Entry, isNothing } from './tree.ts';

/** What `consent_policy` can say; the first is the default. */
export const CONSENT_POLICIES: readonly ConsentPolicy[] = ['global', 'per_destination', 'per_topic'];

/** Reads `consent_policy:`. Mistakes go to `issues`. */
export function readConsentPolicy(entry: Entry | undefined, issues: Issues): ConsentPolicy {
  return readChoice(entry, CONSENT_POLICIES, issues) ?? 'global';
}

/** Reads `consent_readers:`: roles that may ask the ledger. Mistakes go to `issues`. */
export function readConsentReaders(entry: Entry | undefined, issues: Issues): readonly string[] {
  if (entry === undefined || isNothing(entry.value)) return [];
  if (entry.value.kind !== 'list') {
    wrongType(entry.value, 'a list of roles', issues, 'For example [service_role].');
    return [];
  }
  const roles = entry.value.items.flatMap((item) => readItem(item, 'the name of a role', issues) ?? []);
  return [...new Set(roles)];
}
