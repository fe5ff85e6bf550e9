import type { AttributePlan } from '../../core/destination.ts';
import type { ContactPages, RemoteRow } from '../../core/exports.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { rendered, sameValue } from '../../core/same-value.ts';
import { isPhone } from './phone.ts';
import type { BrevoConfig } from './config.ts';
import { failureOf, stopped } from './failure.ts';
import { contactsAt, nextOf, objectIn } from './reads.ts';
import { attributeName, attributeValues } from './values.ts';

function row({ email, id, emailBlacklisted, attributes }: JsonObject, plan: AttributePlan): RemoteRow[] {
  // Whoever is known by a phone number alone is nobody of ours.
  if (typeof email !== 'string' || email.trim() === '') return [];
  const found = isJsonObject(attributes) ? attributes : {};
  const fields = Object.keys(plan).map((name): [string, string] => {
    const key = attributeName(name);
    return [name, rendered(Object.hasOwn(found, key) ? found[key] : undefined)];
  });
  const status = emailBlacklisted === true ? 'unsubscribed' : emailBlacklisted === false ? 'subscribed' : 'unknown';
  const known = typeof id === 'number' ? String(id) : null;
  return [{ address: email.trim(), id: known, status, fields: Object.fromEntries(fields) }];
}

/** A number's digits: how Brevo shows the plus, or leaves it out, is not said. */
function digits(text: string): string {
  return text.replaceAll(/\D/g, '');
}

/** All contacts, as `GET /contacts` has them; none of its pages can be left out, as no other path lists them. */
export const pages: ContactPages<BrevoConfig> = {
  page: (after, plan, config) => ({
    request: contactsAt(after, config),
    interpret(response): ReturnType<ReturnType<typeof pages.page>['interpret']> {
      const contacts = failureOf(response) === undefined ? objectIn(response)?.['contacts'] : undefined;
      // Whoever is not read counts as missing, so an answer without them is none.
      if (!Array.isArray(contacts)) return stopped(response);
      const rows = (contacts as readonly unknown[]).filter(isJsonObject).flatMap((each) => row(each, plan));
      return { ok: true, value: { rows, next: nextOf(after, contacts.length) } };
    },
  }),
  differs(attributes, { fields }, plan, config) {
    const { attributes: sent } = attributeValues({ attributes, takeover: false }, plan, config);
    return Object.keys(attributes).filter((name) => {
      const key = attributeName(name);
      if (!Object.hasOwn(sent, key) || !Object.hasOwn(fields, name)) return false;
      const value = sent[key] ?? null;
      const text = fields[name] ?? '';
      if (isPhone(key)) return digits(rendered(value)) !== digits(text);
      return !sameValue(value, text, Object.hasOwn(plan, name) ? plan[name] : undefined);
    });
  },
  saysMore: ({ lists }) => lists.length > 0,
};
