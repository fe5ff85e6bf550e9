import { describe, expect, test } from 'vitest';
import { mailtrap } from '../destinations/mailtrap/index.ts';
import { isRight, judge, repairsOf, type Verdict } from './judge-remote.ts';
import type { ComparedContact, FoundContact } from './remote-ports.ts';

const CONFIG = mailtrap.config.parse({ api_token: 'tok' });
const PLAN = { NAME: 'text' } as const;

function row(address: string, more: Partial<FoundContact> = {}): FoundContact {
  return {
    place: '1',
    address,
    plainAddress: address.toLowerCase(),
    id: 'id-1',
    status: 'subscribed',
    fields: { NAME: 'Ann' },
    ...more,
  };
}

function verdict(found: readonly FoundContact[], more: Partial<ComparedContact> = {}): Verdict {
  const contact: ComparedContact = {
    contactId: '7',
    version: '3',
    action: 'upsert',
    address: 'a@x.io',
    remoteAddress: 'a@x.io',
    remoteId: 'id-1',
    consent: 'basis',
    attributes: { NAME: 'Ann' },
    progress: 'in_step',
    suppressed: false,
    bounced: false,
    told: [],
    found,
    ...more,
  };
  return judge(contact, mailtrap, PLAN, CONFIG);
}

const of = { contact: '7', version: '3' };
const resend = { kind: 'resend', ...of, leftovers: [], forgetId: false };

describe('what is there of a contact', () => {
  test('everything as it shall be', () => {
    const right = verdict([row('A@X.io')]);
    expect(isRight(right)).toBe(true);
    expect(repairsOf(right)).toEqual([]);
  });

  test.each<[string, Verdict, Partial<Verdict>, readonly object[]]>([
    ['nothing', verdict([]), { missing: true }, [{ kind: 'anew', ...of, leftovers: [] }]],
    ['another value', verdict([row('a@x.io', { fields: { NAME: 'B' } })]), { stale: ['NAME'] }, [resend]],
    ['another id', verdict([row('a@x.io', { id: 'id-2' })]), { stale: ['id'] }, [{ ...resend, forgetId: true }]],
    ['its id at another address', verdict([row('b@x.io')]), { stale: ['address'] }, [resend]],
    [
      'an old address beside it',
      verdict([row('a@x.io'), row('Old@x.io', { id: 'id-2' })]),
      { old: [row('Old@x.io', { id: 'id-2' })] },
      [{ ...resend, leftovers: ['old@x.io'] }],
    ],
    // A person must choose: to remove one by its address could remove the other.
    [
      'the same address in another case beside it',
      verdict([row('A@x.io', { id: 'id-2' }), row('a@x.io')]),
      { main: row('a@x.io'), twins: [row('A@x.io', { id: 'id-2' })] },
      [],
    ],
    [
      'unsubscribed, with another value',
      verdict([row('a@x.io', { status: 'unsubscribed', fields: { NAME: 'B' } })]),
      { consent: 'left_there', stale: ['NAME'] },
      [{ kind: 'opted_out', ...of, places: ['1'] }, resend],
    ],
    [
      'suppressed, though its export says subscribed',
      verdict([row('a@x.io')], { suppressed: true, told: ['9'] }),
      { consent: 'left_there', missing: false },
      [{ kind: 'opted_out', ...of, places: ['9'] }],
    ],
    [
      'nothing, and suppressed',
      verdict([], { suppressed: true, told: ['9'] }),
      { consent: 'left_there', missing: true },
      [
        { kind: 'opted_out', ...of, places: ['9'] },
        { kind: 'anew', ...of, leftovers: [] },
      ],
    ],
    [
      'subscribed, though opted out here',
      verdict([row('a@x.io')], { consent: 'opted_out' }),
      { consent: 'left_here' },
      [resend],
    ],
    [
      'subscribed, though they left and are kept',
      verdict([row('a@x.io')], { action: 'unsubscribe', address: null }),
      { consent: 'left_here' },
      [resend],
    ],
  ])('%s', (_what, found, expected, repairs) => {
    expect(found).toMatchObject(expected);
    expect(isRight(found)).toBe(false);
    expect(repairsOf(found)).toEqual(repairs);
  });

  test.each<[string, Verdict]>([
    ['whoever said no here and is suppressed', verdict([row('a@x.io')], { consent: 'opted_out', suppressed: true })],
    ['whoever never said yes and is suppressed', verdict([row('a@x.io')], { consent: 'none', suppressed: true })],
    [
      'whoever never said yes is unsubscribed there',
      verdict([row('a@x.io', { status: 'unsubscribed' })], { consent: 'none' }),
    ],
    [
      'mail to them bounces, for which they are not mailed there',
      verdict([row('a@x.io', { status: 'unsubscribed' })], { bounced: true, told: ['9'] }),
    ],
    ['whoever never said yes here has subscribed there', verdict([row('a@x.io')], { consent: 'none' })],
    ['the export does not say', verdict([row('a@x.io', { status: 'unknown' })], { consent: 'opted_out' })],
    ['the export has no ids', verdict([row('a@x.io', { id: null })])],
    ['no id is known here', verdict([row('a@x.io')], { remoteId: null })],
    ['whoever left and is kept is gone there', verdict([], { action: 'unsubscribe', address: null })],
    ['nobody is to be there', verdict([row('a@x.io')], { action: 'none', address: null })],
  ])('no drift: %s', (_what, found) => {
    expect(isRight(found)).toBe(true);
  });
});
