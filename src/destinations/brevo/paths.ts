import type { HttpRequest } from '../../core/destination.ts';
import { getJson, pathSegment } from '../../core/wire.ts';
import type { BrevoConfig } from './config.ts';

export const CONTACTS = '/contacts';
export const LISTS = '/contacts/lists';
export const ATTRIBUTES = '/contacts/attributes';

/** How a path names a contact; said each time, as an address could read like an id. */
export type Named = { readonly by: 'contact_id' | 'email_id'; readonly value: string };

/** One contact (`GET`, `PUT` and `DELETE /contacts/{identifier}`). */
export function contactPath({ by, value }: Named): string {
  return `${CONTACTS}/${pathSegment(value)}?identifierType=${by}`;
}

/** What such a path names; undefined for any other path. */
export function namedIn(path: string): Named | undefined {
  const match = /^\/contacts\/([^/?]+)\?identifierType=(contact_id|email_id)$/.exec(path);
  if (match === null) return undefined;
  return { by: match[2] as Named['by'], value: decodeURIComponent(match[1] ?? '') };
}

/** A GET below the base URL. */
export function get(config: BrevoConfig, path: string): HttpRequest {
  return getJson(config.base_url + path);
}
