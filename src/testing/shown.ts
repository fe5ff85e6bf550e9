import { isDeepStrictEqual } from 'node:util';
import { type Json, renderJson } from '../core/json.ts';
import type { ShownContact } from '../sandbox/stand-in.ts';
import type { Bench } from './bench.ts';
import { must } from './must.ts';

/** Every contact that stands there. */
export function everyone(bench: Bench): readonly ShownContact[] {
  return [...bench.vendor.contacts()];
}

/** Those who would be mailed. */
export function mailed(bench: Bench): readonly ShownContact[] {
  return everyone(bench).filter(({ status }) => status === 'subscribed');
}

/** Those at an address; vendors may fold its case. */
export function at(bench: Bench, address: string): readonly ShownContact[] {
  return everyone(bench).filter((contact) => contact.address.toLowerCase() === address.toLowerCase());
}

/** The one contact at an address. @throws AssertionError when there is none, or more than one */
export function only(bench: Bench, address: string): ShownContact {
  const found = at(bench, address);
  const [contact] = found;
  must(found.length === 1 && contact !== undefined, `one contact stands at ${address}`, everyone(bench));
  return contact;
}

/** That nobody else stands there; where a contact is never removed for good, that nobody else is mailed. */
export function mustBeAlone(bench: Bench, address: string): ShownContact {
  const contact = only(bench, address);
  mustBeNobodyBut(bench, [address]);
  return contact;
}

/** That only these addresses are there; where a contact is never removed for good, that only they are mailed. */
export function mustBeNobodyBut(bench: Bench, addresses: readonly string[]): void {
  const hard = bench.destination.capabilities.remove === 'hard';
  const there = (hard ? everyone(bench) : mailed(bench)).map(({ address }) => address.toLowerCase());
  const others = there.filter((address) => !addresses.some((each) => each.toLowerCase() === address));
  must(others.length === 0, `nobody is left but ${addresses.join(', ') || 'nobody'}`, others);
}

/** What a contact has under an attribute's name; null when it is cleared. */
export function valueOf(contact: ShownContact, name: string): Json {
  const value = Object.hasOwn(contact.attributes, name) ? contact.attributes[name] : undefined;
  return value === undefined || value === '' ? null : value;
}

/** A value as text, with all its digits. */
export function asText(value: Json): string {
  return typeof value === 'string' ? value : renderJson(value);
}

/** That an attribute has a value, as JSON or as its text. */
export function mustHave(contact: ShownContact, name: string, value: Json): void {
  const has = valueOf(contact, name);
  const same = isDeepStrictEqual(has, value) || (value !== null && has !== null && asText(has) === asText(value));
  must(same, `${name} is ${renderJson(value)}`, contact.attributes);
}

/** What a contact is, without when that was noted. */
export function withoutTimes(contacts: readonly ShownContact[]): readonly unknown[] {
  return contacts.map(({ id, address, status, attributes, lists }) => ({
    id,
    address,
    status,
    attributes,
    lists: lists.toSorted(),
  }));
}
