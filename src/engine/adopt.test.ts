import { expect, test } from 'vitest';
import { mailtrap } from '../destinations/mailtrap/index.ts';
import { markOf } from './adopt.ts';
import { judge } from './judge-remote.ts';
import type { AdoptMark, ComparedContact, FoundContact } from './remote-ports.ts';

const CONFIG = mailtrap.config.parse({ api_token: 'tok' });

function row(more: Partial<FoundContact> = {}): FoundContact {
  const address = more.address ?? 'a@x.io';
  const fields = { NAME: 'Ann' };
  return { place: '1', address, plainAddress: address.toLowerCase(), id: 'i', status: 'subscribed', fields, ...more };
}

/** What is known of somebody who was never sent, by what was found of them. */
function mark(
  found: readonly FoundContact[],
  more: Partial<ComparedContact> = {},
  read: readonly string[] = ['NAME'],
  saysMore = false,
): AdoptMark | undefined {
  const contact: ComparedContact = {
    contactId: '7',
    version: '3',
    action: 'upsert',
    address: 'a@x.io',
    remoteAddress: null,
    remoteId: null,
    consent: 'basis',
    attributes: { NAME: 'Ann' },
    progress: 'moving',
    suppressed: false,
    bounced: false,
    told: [],
    found,
    ...more,
  };
  return markOf(judge(contact, mailtrap, { NAME: 'text' }, CONFIG), read, saysMore);
}

const equal = { contact: '7', version: '3', id: 'i', equal: true, apart: false };
const differs = { ...equal, equal: false };

test.each<[string, AdoptMark | undefined, AdoptMark | undefined]>([
  ['as they shall be', mark([row()]), equal],
  ['written in another case', mark([row({ address: 'A@X.io' })]), { ...equal, apart: true }],
  ['with another value', mark([row({ fields: { NAME: 'Bob' } })]), differs],
  ['with a value that could not be read', mark([row()], {}, []), differs],
  ['where lists are to be joined', mark([row()], {}, ['NAME'], true), differs],
  ['nowhere', mark([]), undefined],
  ['at another address alone', mark([row({ address: 'b@x.io' })]), undefined],
  ['without an id, as they shall be', mark([row({ id: null })]), { ...equal, id: null }],
  ['without an id, with another value', mark([row({ id: null, fields: { NAME: 'Bob' } })]), undefined],
  ['at an old address too', mark([row(), row({ address: 'old@x.io', id: 'o' })]), differs],
  ['twice', mark([row(), row({ address: 'A@x.io', id: 'o' })]), equal],
  ['unsubscribed', mark([row({ status: 'unsubscribed' })]), equal],
  ['unsubscribed, and opted out here', mark([row({ status: 'unsubscribed' })], { consent: 'opted_out' }), equal],
  ['suppressed, and opted out here', mark([row()], { consent: 'opted_out', suppressed: true }), equal],
  ['subscribed, and opted out here', mark([row()], { consent: 'opted_out' }), differs],
  ['who knows, and opted out here', mark([row({ status: 'unknown' })], { consent: 'opted_out' }), differs],
  ['subscribed, and never said yes here', mark([row()], { consent: 'none' }), equal],
])('there %s', (_where, found, expected) => {
  expect(found).toEqual(expected);
});
