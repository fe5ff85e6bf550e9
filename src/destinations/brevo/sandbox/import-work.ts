import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts';
import type { Account } from './account.ts';
import { applyChange, type AttributeChange, changeOf } from './attribute-values.ts';
import { isAddress } from './validate-email.ts';

function without(set: JsonObject, unwanted: (name: string, value: Json) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(set).filter(([name, value]) => !unwanted(name, value)));
}

/** What an import stores of a row: with an empty value it clears only when it was asked to. */
function changeBy(row: JsonObject, account: Account, empty: boolean): AttributeChange {
  const change = changeOf(row['attributes'], account.store);
  const set = account.settings.importsFalse ? change.set : without(change.set, (_, value) => value === false);
  return { set, clear: empty ? change.clear : [], badPhone: false };
}

/**
 * Does an import. It says nothing of consent unless it blocks all: a blocked contact stays blocked. A phone number that another
 * contact has keeps its row from being stored.
 * @returns addresses by what is wrong with their rows
 */
export function runImport(account: Account, work: JsonObject): JsonObject {
  const { store } = account;
  const { rows, lists, refused, update, empty, block, blockSms } = work;
  const invalidEmails: string[] = [];
  const duplicates: Record<string, string[]> = {};
  const unwanted = new Set(refused as readonly string[]);
  for (const row of rows as readonly Json[]) {
    const email = isJsonObject(row) ? row['email'] : undefined;
    if (!isJsonObject(row) || !isAddress(email) || unwanted.has(email)) {
      invalidEmails.push(typeof email === 'string' ? email : '');
      continue;
    }
    const current = store.find('email', email);
    const change = changeBy(row, account, empty === true);
    const own = { email, extId: null, attributes: { ...current?.attributes, ...change.set } };
    const [taken] = store.taken(own, current).filter((each) => each !== 'email');
    if (taken !== undefined) {
      const name = taken === 'SMS' ? 'duplicate_phone_id' : `duplicate_${taken.toLowerCase()}_id`;
      (duplicates[name] ??= []).push(email);
      continue;
    }
    if (current !== undefined && update !== true) continue;
    store.write(current, (draft) => {
      draft.email ??= email;
      applyChange(draft.attributes, change);
      for (const id of lists as readonly number[]) if (store.lists.has(id)) draft.lists.add(id);
      if (block === true) draft.emailBlacklisted = true;
      if (blockSms === true) draft.smsBlacklisted = true;
    });
  }
  return { invalid_emails: invalidEmails, ...duplicates };
}
