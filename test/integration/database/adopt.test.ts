import { expect, test } from 'vitest';
import type { AdoptMark, AdoptStore, RemoteReading } from '../../../src/engine/remote-ports.ts';
import type { RemoteRow } from '../../../src/core/exports.ts';
import { applyInstall } from '../../../src/sql/apply.ts';
import { createRemoteStore } from '../../../src/sql/store/remote.ts';
import { type Installed, installed, REF } from './support.ts';

const ADDRESS = 'ann@example.com';

function row(address: string, more: Partial<RemoteRow> = {}): RemoteRow {
  return { address, id: `id of ${address}`, status: 'subscribed', fields: { FIRSTNAME: 'Ann' }, ...more };
}

/** Somebody who is to be there, and a reading in which they stand there already. */
async function read(
  rows: readonly RemoteRow[],
  more: Parameters<typeof installed>[0] = {},
): Promise<{
  readonly one: Installed;
  readonly key: string;
  readonly remote: AdoptStore;
  readonly reading: RemoteReading;
  readonly mark: (more?: Partial<AdoptMark>) => Promise<{ readonly known: number; readonly equal: number }>;
  readonly recorded: () => Promise<number>;
}> {
  const one = await installed(more);
  const key = await one.insert(ADDRESS, { full_name: 'Ann' });
  await one.foldAll();
  const { hash: configHash, environment } = one.config;
  const remote = createRemoteStore(one.db.sql, one.store, { configHash, projectRef: REF, environment });
  const reading = await remote.open(one.destination);
  await remote.add(reading, rows);
  await remote.complete(reading, rows.length);
  const { contacts } = await remote.compare(reading, '0', 10);
  const seen = contacts.find(({ address }) => address === ADDRESS)!;
  return {
    one,
    key,
    remote,
    reading,
    mark: (changed = {}) =>
      remote.adopt(reading, [
        {
          contact: seen.contactId,
          version: seen.version,
          id: `id of ${ADDRESS}`,
          equal: true,
          apart: false,
          ...changed,
        },
      ]),
    recorded: async () => (await remote.adoptFacts(reading, '0', 100)).recorded,
  };
}

test('who is equal counts as delivered, under the id there, and is not due', async () => {
  const { one, key, mark } = await read([row(ADDRESS)]);
  expect(await mark()).toEqual({ known: 1, equal: 1 });
  expect(await one.desired(key)).toMatchObject({
    delivered_version: 1,
    remote_address: ADDRESS,
    remote_id: `id of ${ADDRESS}`,
    due: false,
  });
  expect(await mark()).toEqual({ known: 0, equal: 0 });
});

test('who differs is due as a first delivery to somebody who is known', async () => {
  const { one, mark } = await read([row(ADDRESS)]);
  expect(await mark({ equal: false })).toEqual({ known: 1, equal: 0 });
  const [claimed] = await one.claim();
  expect(claimed?.remote).toMatchObject({ id: `id of ${ADDRESS}`, address: ADDRESS, met: true });
  await one.settle(claimed!, 'delivered');
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "Anna"}'`);
  await one.foldAll();
  const [next] = await one.claim();
  expect(next?.remote).toMatchObject({ id: `id of ${ADDRESS}` });
  expect(next?.remote).not.toHaveProperty('met');
});

test.each<[string, (one: Installed) => Promise<unknown>]>([
  [
    'they have changed',
    async (one) => {
      await one.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "Anna"}'`);
      await one.foldAll();
    },
  ],
  ['they are being sent', (one) => one.claim()],
  ['they were sent', (one) => one.deliverAll()],
  [
    'an attempt may still arrive',
    async (one) => {
      const [claimed] = await one.claim();
      await one.settle(claimed!, { kind: 'unknown', message: 'no answer', code: 'no_answer' });
    },
  ],
  [
    'they have left',
    async (one) => {
      await one.db.app.query('delete from auth.users');
      await one.foldAll();
    },
  ],
  [
    'somebody else is known by that id',
    async (one) => {
      await one.db.app.query(
        `insert into rollcall.contacts (key) values ('other');
       insert into rollcall.desired (destination_id, contact_id, action, hash, version, remote_id)
         select 1, c.id, 'none', '', 1, 'id of ${ADDRESS}' from rollcall.contacts c where c.key = 'other'`,
      );
    },
  ],
])('a reading of before does not count where %s', async (_what, happen) => {
  const { one, key, mark } = await read([row(ADDRESS)]);
  await happen(one);
  const before = await one.desired(key);
  expect(await mark()).toEqual({ known: 0, equal: 0 });
  const { due_in_s: _, unknown_in_s: __, ...after } = (await one.desired(key))!;
  expect(before).toMatchObject(after);
});

test('who was delivered without an id is known by it from now on', async () => {
  const { one, key, mark } = await read([row(ADDRESS)]);
  await one.deliverAll();
  await one.db.app.query(
    `update rollcall.attempts set at = at - interval '1 hour'; update rollcall.desired set remote_id = null, imported = true`,
  );
  expect(await mark({ equal: false })).toEqual({ known: 1, equal: 0 });
  expect(await one.desired(key)).toMatchObject({ delivered_version: 1, remote_id: `id of ${ADDRESS}`, due: false });
});

const OUT: Partial<RemoteRow> = { status: 'unsubscribed' };

test.each<[string, number, Parameters<typeof installed>[0], (one: Installed) => Promise<unknown>]>([
  ['nothing was ever sent', 1, { consent: { kind: 'nobody' } }, () => Promise.resolve()],
  [
    'they were delivered as one who may be mailed',
    1,
    {},
    async (one) => {
      await one.deliverAll();
      await one.db.app.query(`update rollcall.attempts set at = at - interval '1 hour'`);
    },
  ],
  // By us: they never said yes.
  ['they were delivered as one who never said yes', 0, { consent: { kind: 'nobody' } }, (one) => one.deliverAll()],
  ['they are being sent', 0, { consent: { kind: 'nobody' } }, (one) => one.claim()],
  [
    'an attempt may still arrive',
    0,
    { consent: { kind: 'nobody' } },
    async (one) => {
      const [claimed] = await one.claim();
      await one.settle(claimed!, { kind: 'unknown', message: 'no answer', code: 'no_answer' });
    },
  ],
  [
    'they left, and the contact stays',
    0,
    {},
    async (one) => {
      await one.deliverAll();
      await one.db.app.query(`update rollcall.destinations set on_delete = 'unsubscribe'; delete from auth.users`);
      await one.foldAll();
      await one.deliverAll();
    },
  ],
])('unsubscribed there, where %s: %i facts', async (_what, facts, more, happen) => {
  const { one, recorded } = await read([row(ADDRESS, OUT)], more);
  await happen(one);
  expect(await recorded()).toBe(facts);
  expect(await recorded()).toBe(0);
  const { rows } = await one.db.app.query('select address, person is null as stranger, at from rollcall.consent');
  expect(rows).toEqual(facts === 0 ? [] : [{ address: ADDRESS, stranger: false, at: null }]);
});

test('the reason for which an address must not be mailed goes before what its contact shows, in whatever page', async () => {
  const { one, remote, reading } = await read([row('Bob@Example.com', OUT), row('cleo@example.com', OUT)]);
  await remote.addSuppressed(reading, [
    { id: 'b', kind: 'bounce', address: 'bob@example.com', at: 1_000_000, event: 'bounce' },
    { id: 'c\0', kind: 'complaint', address: 'dora@example.com', event: 'complaint' },
  ]);
  const counts: number[] = [];
  for (let after: string | null = '0'; after !== null;) {
    const page: Awaited<ReturnType<AdoptStore['adoptFacts']>> = await remote.adoptFacts(reading, after, 1);
    counts.push(page.recorded);
    after = page.lastPlace;
  }
  expect(counts).toEqual([0, 1, 1, 1, 0]);
  const { rows } = await one.db.app.query(
    'select address, kind, floor(extract(epoch from at))::int as at from rollcall.consent order by 1',
  );
  expect(rows).toEqual([
    { address: 'bob@example.com', kind: 'bounce', at: 1 },
    { address: 'cleo@example.com', kind: 'opt_out', at: null },
    { address: 'dora@example.com', kind: 'complaint', at: null },
  ]);
});

test('an upgrade makes facts of those who were found to have left before, and sends nobody', async () => {
  const one = await installed();
  const ann = await one.insert(ADDRESS, { full_name: 'Ann' });
  const bob = await one.insert('bob@example.com', { full_name: 'Bob' });
  await one.foldAll();
  await one.deliverAll();
  // As the last release has left it.
  await one.db.app.query(
    `delete from rollcall.migrations where version = 13;
     alter table rollcall.desired add column left_there_at timestamptz;
     update rollcall.desired set consent = 'opted_out', left_there_at = '2026-01-02T03:04:05Z' where address = '${ADDRESS}'`,
  );
  await applyInstall(one.db.sql, one.config, REF);
  const { rows } = await one.db.app.query('select kind, person, address, origin, at from rollcall.consent');
  expect(rows).toEqual([
    {
      kind: 'opt_out',
      person: ann,
      address: ADDRESS,
      origin: 'destination:mailtrap',
      at: new Date('2026-01-02T03:04:05Z'),
    },
  ]);
  await one.sweepNow();
  expect(await one.desired(ann)).toMatchObject({ consent: 'opted_out', version: 1, due: false });
  expect(await one.desired(bob)).toMatchObject({ consent: 'basis', version: 1, due: false });
});
