import { pathSegment } from '../../core/wire.ts';

export const CONTACTS = '/v1/contacts';
export const AUDIENCES = '/v1/audiences';
export const EVENTS = '/v1/events';

/** What stands for an id that is looked up first; see `Operation.find`. */
export const FOUND_ID = '{id}';

/** One contact: only its id names it. */
export function contactPath(id: string): string {
  return `${CONTACTS}/${pathSegment(id)}`;
}

/** The members of an audience. */
export function membersPath(audience: string): string {
  return `${AUDIENCES}/${pathSegment(audience)}/contacts`;
}

/** Whether a path is that of the members of an audience. */
export function isMembersPath(path: string): boolean {
  return path.startsWith(`${AUDIENCES}/`);
}

/** A text as the value of a query. Never throws. */
export function queryValue(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\u{fffd}'));
}
