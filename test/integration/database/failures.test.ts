import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/types.ts';
import type { Outcome } from '../../../src/core/outcome.ts';
import { applyInstall } from '../../../src/sql/apply.ts';
import {
  dropFailures,
  endPauses,
  failureCauses,
  failureDestinations,
  failuresOf,
  type FailureScope,
  retryFailures,
  tryAgain,
} from '../../../src/sql/store/failures.ts';
import { attribute, testConfig } from '../../support/config.ts';
import { USERS, withTables } from '../../support/tables.ts';
import { installed, type Installed, REF } from './support.ts';

const REJECT: Outcome = { kind: 'reject', code: 'invalid_email', message: 'No.', field: 'email' };
const MAILTRAP: FailureScope = { destination: 'mailtrap' };
const number = attribute('N', 'user_metadata.n', { type: 'integer', transforms: [] });
const sum = (one: Installed): Promise<readonly string[]> =>
  failureCauses(one.db.sql).then((causes) =>
    causes.map(({ destination, stage, code, field, count }) => `${destination} ${stage} ${code} ${field} ${count}`),
  );

/** As many people as said, whom the destination refuses. */
async function refused(count: number, more: Partial<Config> = {}): Promise<Installed> {
  const one = await installed(more);
  for (let n = 1; n <= count; n += 1) await one.insert(`p${n}@example.com`, { full_name: `P${n}` });
  await one.foldAll();
  await refuse(one);
  return one;
}

async function refuse(one: Installed): Promise<void> {
  for (const delivery of await one.claim()) await one.settle(delivery, REJECT);
}

const due = async (one: Installed): Promise<string[]> =>
  (
    await one.db.app.query(
      'select t.name, d.contact_id::int as c from rollcall.due d join rollcall.destinations t on t.id = d.destination_id order by 1, 2',
    )
  ).rows.map(({ name, c }) => `${name} ${c}`);

test('failures are grouped by destination, stage and cause, the most frequent first, with the newest as example', async () => {
  const one = await refused(3);
  const { rows } = await one.db.app.query(
    `update rollcall.dead_letters l set code = 'too_large', field = null, message = 'Big.', at = at + interval '1 hour'
       from rollcall.desired s where s.contact_id = l.contact_id and s.address = 'p2@example.com' returning l.contact_id::text as id`,
  );
  const causes = await failureCauses(one.db.sql);
  expect(causes.map(({ code, field, count }) => [code, field, count])).toEqual([
    ['invalid_email', 'email', 2],
    ['too_large', null, 1],
  ]);
  expect(causes[1]?.example).toMatchObject({
    contact: rows[0].id,
    address: 'p2@example.com',
    message: 'Big.',
    event: null,
  });
  expect(causes[1]?.example.payload).toEqual([{ FIRSTNAME: 'P2' }, null]);
  const found = await failuresOf(one.db.sql, { ...MAILTRAP, code: 'invalid_email', field: 'email' }, 1);
  expect(found).toHaveLength(1);
  expect(await failuresOf(one.db.sql, { ...MAILTRAP, code: 'invalid_email', field: 'x' }, 9)).toEqual([]);
});

test('a change of the contact brings it back, with its current state', async () => {
  const one = await refused(2);
  expect(await due(one)).toEqual([]);
  await one.db.app.query(
    `update auth.users set raw_user_meta_data = '{"full_name": "New"}' where email = 'p1@example.com'`,
  );
  await one.foldAll();
  const [delivery] = await one.claim();
  expect(delivery).toMatchObject({ attributes: { FIRSTNAME: 'New' }, tries: 0 });
  await one.settle(delivery!, 'delivered');
  expect(await sum(one)).toEqual(['mailtrap deliver invalid_email email 1']);
});

test('an apply that changes what is sent to a destination brings back who failed there, and nobody else', async () => {
  const [first] = testConfig().destinations;
  const second = { ...first!, name: 'second' };
  const config = { destinations: [first!, second], destinationHashes: { mailtrap: 'm1', second: 's1' } };
  const one = await refused(2, config);
  const other = (await one.store.destinations())[1]!.id;
  const scope = {
    limits: [9, 9],
    bytes: 1_000_000,
    after: ['-infinity', '-infinity'],
    least: [0, 0],
    consents: [],
    liveWaitMs: 0,
  } as const;
  const claimed = await one.store.claim(other, one.lease, scope);
  await one.store.settle(
    other,
    one.lease,
    claimed.map((delivery) => ({ delivery, outcome: REJECT, waitMs: 0, latencyMs: 1 })),
  );
  expect(await due(one)).toEqual([]);
  // The same again, as each deploy may run it.
  await applyInstall(one.db.sql, one.config, REF);
  expect(await due(one)).toEqual([]);
  const changed = { ...one.config, hash: 'b'.repeat(64), destinationHashes: { mailtrap: 'm1', second: 's2' } };
  await applyInstall(one.db.sql, changed, REF);
  expect(await due(one)).toEqual(['second 1', 'second 2']);
  expect(await sum(one)).toEqual(['mailtrap deliver invalid_email email 2']);
  await tryAgain(one.db.sql, ['mailtrap']);
  expect(await due(one)).toHaveLength(4);
});

test('rows that could not be mapped are read again by an apply, also when they come out as they were before', async () => {
  const one = await installed({ destinationHashes: { mailtrap: 'm1' } });
  const user = await one.insert('a@example.com', { full_name: 'A' });
  await one.foldAll();
  await one.deliverAll();
  const mapping = (attributes: Config['userMapping']['attributes'], hash: string): Config => ({
    ...one.config,
    userMapping: { ...one.config.userMapping, attributes },
    destinationHashes: { mailtrap: hash },
  });
  const names = one.config.userMapping.attributes;
  await applyInstall(one.db.sql, mapping([...names, number], 'm2'), REF);
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "A", "n": "bad"}'`);
  await one.foldAll();
  expect(await sum(one)).toEqual(['mailtrap map 22P02 null 1']);
  await applyInstall(one.db.sql, mapping(names, 'm3'), REF);
  await one.foldAll();
  expect(await sum(one)).toEqual([]);
  expect(await one.desired(user)).toMatchObject({ version: 1, delivered_version: 1, due: false });
});

test('a person retries one cause, one contact, or all; rows that cannot be mapped are read again', async () => {
  const names = testConfig().userMapping;
  const one = await refused(3, { userMapping: { ...names, attributes: [...names.attributes, number] } });
  await one.insert('bad@example.com', { n: 'bad' });
  await one.foldAll();
  await one.db.app.query(`update rollcall.dead_letters set code = 'too_large', field = null where contact_id = 2`);
  const retry = (scope: Partial<FailureScope>) => retryFailures(one.db.sql, { ...MAILTRAP, ...scope });
  const none = { contacts: 0, readAgain: 0, events: 0, unmapped: 0 };
  expect(await retry({ code: 'nothing' })).toEqual(none);
  expect(await retry({ code: 'invalid_email', field: 'name' })).toEqual(none);
  expect(await retry({ code: 'too_large' })).toEqual({ ...none, contacts: 1 });
  expect(await due(one)).toContain('mailtrap 2');
  expect(await retry({ contact: '1' })).toEqual({ ...none, contacts: 1 });
  expect(await retry({})).toEqual({ ...none, contacts: 1, readAgain: 1 });
  expect(await one.foldAll()).toMatchObject({ taken: 1, failed: 1 });
  expect(await sum(one)).toEqual(['mailtrap map 22P02 null 1']);
});

test('dropped contacts are not heard of, and come back only when they change or are named', async () => {
  const one = await refused(2, { destinationHashes: { mailtrap: 'm1' } });
  const drop = (scope: Partial<FailureScope> = {}) => dropFailures(one.db.sql, { ...MAILTRAP, ...scope });
  expect(await drop({ contact: '1' })).toEqual({ contacts: 1, events: 0 });
  expect(await sum(one)).toEqual(['mailtrap deliver invalid_email email 1']);
  expect(await drop()).toEqual({ contacts: 1, events: 0 });
  expect(await failureDestinations(one.db.sql)).toEqual([{ name: 'mailtrap', type: 'mailtrap', dropped: 2 }]);
  const { rows } = await one.db.app.query(`select rollcall.status() #> '{destinations,0,failed}' as failed`);
  expect(rows).toEqual([{ failed: 0 }]);
  await applyInstall(one.db.sql, { ...one.config, destinationHashes: { mailtrap: 'm2' } }, REF);
  expect(await retryFailures(one.db.sql, MAILTRAP)).toMatchObject({ contacts: 0 });
  expect(await due(one)).toEqual([]);
  expect(await retryFailures(one.db.sql, { ...MAILTRAP, contact: '1' })).toMatchObject({ contacts: 1 });
  await refuse(one);
  expect(await sum(one)).toEqual(['mailtrap deliver invalid_email email 1']);
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "New"}'`);
  await one.foldAll();
  expect(await due(one)).toHaveLength(2);
});

test('who is refused while its rows cannot be mapped: the mapping is told, and mapped again it is sent again', async () => {
  const names = testConfig().userMapping;
  const one = await installed({ userMapping: { ...names, attributes: [...names.attributes, number] } });
  await one.insert('a@example.com', { n: '1' });
  await one.foldAll();
  const [delivery] = await one.claim();
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"n": "x"}'`);
  await one.foldAll();
  await one.settle(delivery!, REJECT);
  expect(await sum(one)).toEqual(['mailtrap map 22P02 null 1']);
  expect(await due(one)).toEqual([]);
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"n": "1"}'`);
  await one.foldAll();
  expect(await sum(one)).toEqual([]);
  expect(await one.deliverAll()).toHaveLength(1);
});

test('events: refused ones are sent again after those that wait, unmapped ones cannot be, dropped ones hold nothing', async () => {
  const one = await withTables({
    ddl: 'create table public.orders (id int primary key, user_id uuid, n text)',
    connector: `${USERS}
table_mapping:
  orders:
    sync_as: events
    event_name: order_placed
    contact: { user_id: user_id }
    properties: { id: id, n: { to: n, type: integer } }`,
  });
  const user = await one.insert('a@example.com');
  await one.foldAll();
  await one.deliverAll();
  const order = async (id: number, n: string): Promise<void> => {
    await one.db.app.query('insert into public.orders values ($1, $2, $3)', [id, user, n]);
    await one.foldAll();
  };
  const settleEvents = async (outcome: Outcome): Promise<readonly unknown[]> => {
    await one.db.app.query('update rollcall.due set due_at = now() where token is null');
    const [delivery] = await one.claim();
    if (delivery === undefined) return [];
    const events = delivery.events.map(({ id }) => ({ id, outcome, latencyMs: 1 }));
    const waitMs = outcome.kind === 'retry' ? 1_000 : 0;
    await one.store.settle(one.destination, one.lease, [
      { delivery, outcome: undefined, events, waitMs, windowMs: 86_400_000, latencyMs: 0 },
    ]);
    return delivery.events.map(({ properties, tries }) => [properties['id'], tries]);
  };
  await order(1, '1');
  expect(await settleEvents({ kind: 'reject', code: 'invalid_event', message: 'No.' })).toEqual([[1, 0]]);
  await order(2, 'x');
  expect(await sum(one)).toEqual(['mailtrap event 22P02 null 1', 'mailtrap event invalid_event null 1']);

  const RETRY: Outcome = { kind: 'retry', code: 'http_500', message: 'Oops.' };
  await order(3, '3');
  for (let tries = 0; tries < 5; tries += 1) expect(await settleEvents(RETRY)).toEqual([[3, tries]]);
  // A change of the contact's state is no answer about its event: it goes on counting.
  await one.db.app.query(`update rollcall.events set failing_since = failing_since - interval '25 hours'`);
  await order(4, '4');
  expect(await settleEvents(RETRY)).toEqual([
    [3, 5],
    [4, 0],
  ]);
  expect(await sum(one)).toContain('mailtrap event gave_up null 1');
  expect((await failuresOf(one.db.sql, { ...MAILTRAP, code: 'gave_up' }, 9))[0]).toMatchObject({
    eventName: 'order_placed',
    message: 'http_500: Oops.',
    contact: expect.any(String) as string,
  });
  expect(await settleEvents({ kind: 'delivered' })).toEqual([[4, 1]]);

  expect(await retryFailures(one.db.sql, MAILTRAP)).toEqual({ contacts: 0, readAgain: 0, events: 2, unmapped: 1 });
  expect(await settleEvents({ kind: 'delivered' })).toEqual([
    [1, 0],
    [3, 0],
  ]);
  expect(await dropFailures(one.db.sql, { ...MAILTRAP, code: '22P02' })).toEqual({ contacts: 0, events: 1 });
  expect(await sum(one)).toEqual([]);
  const { rows } = await one.db.app.query(
    `select state, reason, properties, message from rollcall.events where state = 'dropped'`,
  );
  expect(rows).toEqual([{ state: 'dropped', reason: 'given_up', properties: {}, message: null }]);
});

test('a pause is ended by name or with all others; the way back is still tried with care', async () => {
  const one = await installed();
  await one.store.pause(one.destination, 'plan_limit', 'Full.', 60_000);
  expect(await one.store.takeProbe(one.destination, 1_000)).toBe(false);
  expect(await endPauses(one.db.sql, 'second')).toEqual([]);
  expect(await endPauses(one.db.sql, undefined)).toEqual([{ destination: 'mailtrap', code: 'plan_limit' }]);
  expect((await one.store.destinations())[0]).toMatchObject({ pausedMs: 0, pauses: 1 });
  // One at a time finds out, and another one when that one is gone.
  expect(await one.store.takeProbe(one.destination, 60_000)).toBe(true);
  expect(await one.store.takeProbe(one.destination, 60_000)).toBe(false);
  await one.store.endProbe(one.destination, 0);
  expect(await one.store.takeProbe(one.destination, 60_000)).toBe(true);
  await one.store.pause(one.destination, 'plan_limit', '', 1_000);
  const { rows } = await one.db.app.query('select pause_message, pauses, probe_until from rollcall.destinations');
  expect(rows).toEqual([{ pause_message: 'Full.', pauses: 2, probe_until: null }]);
  await one.store.resume(one.destination);
  expect(await one.store.takeProbe(one.destination, 1_000)).toBe(false);
  expect(await endPauses(one.db.sql, 'mailtrap')).toEqual([]);
});
