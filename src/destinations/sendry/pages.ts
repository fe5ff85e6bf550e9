import type { AttributePlan } from '../../core/destination.ts';
import type { ContactPages, RemoteRow } from '../../core/exports.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { rendered, sameValue } from '../../core/same-value.ts';
import { attributeValues, isName } from './attributes.ts';
import { audienceOf, type SendryConfig } from './config.ts';
import { idOf, subscriptionOf } from './contact.ts';
import { failureOf, stopped } from './failure.ts';
import { CONTACTS } from './paths.ts';
import { get, paged, pageIn } from './reads.ts';

function row(contact: JsonObject, plan: AttributePlan): RemoteRow[] {
  const { email, metadata, properties } = contact;
  if (typeof email !== 'string' || email.trim() === '') return [];
  // The one is in the SDKs and the documentation, the other in the vendor's recipe.
  const others = { ...(isJsonObject(properties) ? properties : {}), ...(isJsonObject(metadata) ? metadata : {}) };
  const fields = Object.keys(plan).map((name): [string, string] => {
    const from = isName(name) ? contact : others;
    return [name, rendered(Object.hasOwn(from, name) ? from[name] : undefined)];
  });
  const status = subscriptionOf(contact) ?? 'unknown';
  return [{ address: email.trim(), id: idOf(contact) ?? null, status, fields: Object.fromEntries(fields) }];
}

/** All contacts of the account, whatever their audiences (documentation, "List contacts": 100 a page, with a cursor). */
export const pages: ContactPages<SendryConfig> = {
  page: (after, plan, config) => ({
    request: get(config, paged(CONTACTS, after)),
    interpret(response): ReturnType<ReturnType<typeof pages.page>['interpret']> {
      const found = failureOf(response) === undefined ? pageIn(response.body) : undefined;
      if (found === undefined) return stopped(response);
      return { ok: true, value: { rows: found.rows.flatMap((each) => row(each, plan)), next: found.next } };
    },
  }),
  differs: (attributes, { fields }, plan) =>
    Object.entries(attributeValues({ attributes, takeover: false }, plan))
      .filter(
        ([name, value]) => Object.hasOwn(fields, name) && !sameValue(value, fields[name] ?? '', typeOf(name, plan)),
      )
      .map(([name]) => name),
  // A page does not say who is in which audience.
  saysMore: (config) => audienceOf(config) !== undefined,
};

function typeOf(name: string, plan: AttributePlan): AttributePlan[string] | undefined {
  return Object.hasOwn(plan, name) ? plan[name] : undefined;
}
