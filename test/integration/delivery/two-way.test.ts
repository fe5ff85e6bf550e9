import { expect, test } from 'vitest';
import { eventually } from '../../support/people.ts';
import { told } from '../../support/told.ts';

const PROFILES = `create table public.profiles (id uuid primary key references auth.users (id) on delete cascade,
  plan text, marketing boolean, marketing_at timestamptz, confirmed_at timestamptz, unsubscribed boolean not null default false);
create function public.profile_of() returns trigger language plpgsql security definer as $$ begin
  insert into public.profiles (id, marketing) values (new.id, (new.raw_user_meta_data ->> 'marketing')::boolean) on conflict do nothing;
  return new;
end $$;
create trigger profile after insert on auth.users for each row execute function public.profile_of();`;
const MAPPED = `table_mapping:
  profiles:
    plan: PLAN`;
const TWO = ['mailtrap', 'brevo'];
const FIELDS = { PLAN: 'text', FIRSTNAME: 'text', N: 'text' } as const;

async function twoWay(consent: string, more: string, senders = TWO, lines: Record<string, string> = {}) {
  const world = await told({ ddl: PROFILES, connector: MAPPED, consent, more: `${OFF}\n${more}` }, senders, lines);
  for (const id of senders) for (const name of Object.keys(FIELDS)) world.sandbox.of(id).standIn.addField(name, 'text');
  const profile = async (id: string): Promise<Record<string, unknown>> =>
    (await world.world.db.app.query('select * from public.profiles where id = $1', [id])).rows[0];
  const set = (id: string, assignment: string) =>
    world.world.db.app.query(`update public.profiles set ${assignment} where id = $1`, [id]);
  const facts = async () =>
    (await world.world.db.app.query('select kind, origin from rollcall.consent order by received_at, id')).rows;
  return { ...world, profile, set, facts };
}

const OFF = 'brakes: { deletes: off, changes: off }';
const EVERYONE = '{ everyone: "they agreed to the terms" }';
const COLUMN = '{ column: profiles.marketing }';

test('what is written back comes to no destination, and is no answer', async () => {
  const on = await twoWay(COLUMN, 'write_back: { column: profiles.marketing, says: opted_in }');
  const { world, sandbox, leave, profile, facts, status } = on;
  const id = await world.signUp('ann@example.com', { full_name: 'Ann', marketing: true });
  await world.settled();
  expect(status('mailtrap', 'ann@example.com')).toBe('subscribed');
  await leave('mailtrap', 'ann@example.com');
  await eventually(async () => (await profile(id))['marketing'] === false);
  await eventually(() => status('brevo', 'ann@example.com') === 'unsubscribed');
  await world.settled();
  expect(await facts()).toEqual([{ kind: 'opt_out', origin: 'destination:mailtrap' }]);
  const calls = sandbox.calls().length;
  await world.db.app.query(`select rollcall.want_sweep('bound', null)`);
  await eventually(async () => !(await world.status()).sweep_wanted);
  await world.settled();
  expect(sandbox.calls().slice(calls)).toEqual([]);
});

test('a new yes after a no is told once to each destination, and never again', async () => {
  const on = await twoWay(COLUMN, 'write_back: { column: profiles.marketing, says: opted_in }');
  const { world, leave, profile, set, facts, status, subscribing, sandbox, canEmail } = on;
  const id = await world.signUp('ann@example.com', { full_name: 'Ann', marketing: true });
  await world.settled();
  await leave('mailtrap', 'ann@example.com');
  await eventually(async () => (await profile(id))['marketing'] === false);
  await world.settled();
  await set(id, 'marketing = true');
  await eventually(() => TWO.every((each) => status(each, 'ann@example.com') === 'subscribed'));
  await world.settled();
  expect(await facts()).toEqual([
    { kind: 'opt_out', origin: 'destination:mailtrap' },
    { kind: 'opt_in', origin: 'app' },
  ]);
  expect(await canEmail(id)).toBe(true);
  expect((await profile(id))['marketing']).toBe(true);
  expect(
    subscribing()
      .map(({ destination }) => destination)
      .toSorted(),
  ).toEqual(['brevo', 'mailtrap']);
  // A no there that nobody has told us of: no edit undoes it.
  sandbox.of('mailtrap').standIn.optOut('ann@example.com', 'unsubscribe');
  for (let n = 0; n < 5; n += 1) await set(id, `plan = 'plan ${n}'`);
  await world.settled();
  expect(status('mailtrap', 'ann@example.com')).toBe('unsubscribed');
  // Told of it, all others follow, and it is said once more to the one that we had told to take them in.
  await leave('mailtrap', 'ann@example.com');
  await eventually(() => TWO.every((each) => status(each, 'ann@example.com') === 'unsubscribed'));
  await world.settled();
  expect(await canEmail(id)).toBe(false);
  expect(subscribing()).toHaveLength(2);
});

test('a column that has said yes for years takes nobody in who has left', async () => {
  const on = await twoWay(COLUMN, '');
  const { world, worker, sandbox, leave, status, subscribing, facts, canEmail } = on;
  const id = await world.signUp('ann@example.com', { full_name: 'Ann', marketing: true });
  await world.settled();
  await leave('mailtrap', 'ann@example.com');
  await eventually(() => status('brevo', 'ann@example.com') === 'unsubscribed');
  await worker.stop();
  // As after a new install: nothing of the column is remembered.
  await world.db.app.query('truncate rollcall.answers');
  await world.start();
  await world.db.app.query(`select rollcall.want_sweep('bound', null)`);
  await world.db.app.query(`update public.profiles set plan = 'x' where id = $1`, [id]);
  await eventually(() => sandbox.calls().some(({ body }) => body.includes('"x"')));
  await world.settled();
  expect(await facts()).toEqual([{ kind: 'opt_out', origin: 'destination:mailtrap' }]);
  expect([status('mailtrap', 'ann@example.com'), status('brevo', 'ann@example.com')]).toEqual([
    'unsubscribed',
    'unsubscribed',
  ]);
  expect([await canEmail(id), subscribing()]).toEqual([false, []]);
});

test('a yes after a no that no trigger saw is heard by a sweep', async () => {
  const on = await twoWay(COLUMN, '');
  const { world, set, status, canEmail, facts } = on;
  const id = await world.signUp('ann@example.com', { full_name: 'Ann', marketing: true });
  await world.settled();
  await set(id, 'marketing = false');
  await eventually(() => TWO.every((each) => status(each, 'ann@example.com') === 'unsubscribed'));
  await world.settled();
  await world.db.app.query('set session_replication_role = replica');
  await set(id, 'marketing = true');
  await world.db.app.query('set session_replication_role = origin');
  await world.db.app.query(`select rollcall.want_sweep('bound', null)`);
  await eventually(() => TWO.every((each) => status(each, 'ann@example.com') === 'subscribed'));
  await world.settled();
  expect(await canEmail(id)).toBe(true);
  expect((await facts()).map(({ kind }) => kind as string)).toEqual(['opt_out', 'opt_in']);
});

test('while the table of the answers cannot be read, nothing is taken for one', async () => {
  const on = await twoWay(COLUMN, '');
  const { world, sandbox, leave, status, subscribing, facts } = on;
  const id = await world.signUp('ann@example.com', { full_name: 'Ann', marketing: true });
  await world.settled();
  await leave('mailtrap', 'ann@example.com');
  await eventually(() => status('brevo', 'ann@example.com') === 'unsubscribed');
  await world.settled();
  await world.db.app.query('alter table public.profiles rename marketing to marketing_was; truncate rollcall.given');
  await world.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "Anna"}' where id = $1`, [id]);
  await eventually(() => sandbox.calls().some(({ body }) => body.includes('Anna')));
  await world.db.app.query('alter table public.profiles rename marketing_was to marketing');
  await eventually(async () => (await world.status()).sources.every(({ pause_code }) => pause_code === null));
  await eventually(async () => !(await world.status()).sweep_wanted);
  await world.settled();
  expect(await facts()).toEqual([{ kind: 'opt_out', origin: 'destination:mailtrap' }]);
  expect([status('mailtrap', 'ann@example.com'), subscribing()]).toEqual(['unsubscribed', []]);
});

test('a yes with a date counts from that date, whenever it is first seen', async () => {
  const on = await twoWay('{ column: profiles.marketing, at: profiles.marketing_at }', '');
  const { world, leave, set, status, canEmail, facts } = on;
  const ids: Record<string, string> = {};
  for (const name of ['early', 'late']) ids[name] = await world.signUp(`${name}@example.com`, { full_name: name });
  await world.settled();
  for (const name of ['early', 'late']) await leave('mailtrap', `${name}@example.com`);
  await set(ids['early']!, `marketing = true, marketing_at = '2020-01-01'`);
  await set(ids['late']!, `marketing = true, marketing_at = now()`);
  await eventually(() => status('brevo', 'late@example.com') === 'subscribed');
  await world.settled();
  expect(status('mailtrap', 'late@example.com')).toBe('subscribed');
  expect(status('mailtrap', 'early@example.com')).toBe('unsubscribed');
  expect([await canEmail(ids['early']!), await canEmail(ids['late']!)]).toEqual([false, true]);
  expect((await facts()).filter(({ kind }) => kind === 'opt_in')).toHaveLength(2);
});

test('double opt-in: a yes counts once it is confirmed, and is told then', async () => {
  const on = await twoWay('{ column: profiles.marketing, confirmed: profiles.confirmed_at }', '');
  const { world, set, status, canEmail, subscribing } = on;
  const id = await world.signUp('ann@example.com', { full_name: 'Ann', marketing: true });
  await world.settled();
  expect([status('mailtrap', 'ann@example.com'), await canEmail(id)]).toEqual(['unsubscribed', false]);
  await set(id, 'confirmed_at = now()');
  await eventually(() => TWO.every((each) => status(each, 'ann@example.com') === 'subscribed'));
  await world.settled();
  expect([await canEmail(id), subscribing().length]).toEqual([true, 2]);
  await set(id, 'marketing = false');
  await eventually(() => TWO.every((each) => status(each, 'ann@example.com') === 'unsubscribed'));
  expect(await canEmail(id)).toBe(false);
});

test('per destination: who leaves one stays at the others; a no of the app is for all', async () => {
  const on = await twoWay(COLUMN, 'consent_policy: per_destination');
  const { world, leave, set, status, canEmail } = on;
  const id = await world.signUp('ann@example.com', { full_name: 'Ann', marketing: true });
  await world.settled();
  await leave('mailtrap', 'ann@example.com');
  await set(id, `plan = 'pro'`);
  await world.settled();
  expect(TWO.map((each) => status(each, 'ann@example.com'))).toEqual(['unsubscribed', 'subscribed']);
  // Whoever asks about nobody in particular hears of every no.
  expect(await canEmail(id)).toBe(false);
  await set(id, 'marketing = false');
  await eventually(() => status('brevo', 'ann@example.com') === 'unsubscribed');
});

test('per topic: a no is for whoever mails about the same', async () => {
  const three = ['mailtrap', 'brevo', 'sendry'];
  const topics = { mailtrap: ', topic: news', brevo: ', topic: news', sendry: ', topic: offers' };
  const on = await twoWay(EVERYONE, 'consent_policy: per_topic', three, topics);
  const { world, leave, set, status } = on;
  const id = await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  await leave('mailtrap', 'ann@example.com');
  await eventually(() => status('brevo', 'ann@example.com') === 'unsubscribed');
  await set(id, `plan = 'pro'`);
  await world.settled();
  expect(three.map((each) => status(each, 'ann@example.com'))).toEqual(['unsubscribed', 'unsubscribed', 'subscribed']);
  const ask = async (topic: string | null) =>
    (await world.db.app.query('select rollcall.can_email($1::uuid, $2) as can', [id, topic])).rows[0].can;
  expect([await ask('news'), await ask('offers')]).toEqual([false, true]);
});

test('written to app_metadata, to a time and to a table of theirs that has no row yet', async () => {
  const ddl = `${PROFILES} alter table public.profiles add left_at timestamptz;
    create table public.preferences (email text primary key, state text);`;
  const on = await told(
    {
      ddl,
      connector: MAPPED,
      more: `${OFF}
write_back:
  - { app_metadata: unsubscribed }
  - { column: profiles.left_at }
  - { column: preferences.state, contact: { email: email }, insert: true }`,
    },
    TWO,
  );
  const { world, leave } = on;
  const id = await world.signUp("o'hara+news@example.com", { full_name: 'Ann' });
  await world.settled();
  await leave('brevo', "o'hara+news@example.com");
  const seen = async () =>
    (
      await world.db.app.query(
        `select u.raw_app_meta_data -> 'unsubscribed' as flag, p.left_at is not null as left,
                (select state from public.preferences where email = u.email) as state
           from auth.users u join public.profiles p using (id) where u.id = $1`,
        [id],
      )
    ).rows[0];
  await eventually(async () => (await seen()).state !== null);
  expect(await seen()).toEqual({ flag: true, left: true, state: 'opted_out' });
});

test('what is written into a table of events is no event; what the app writes there is', async () => {
  const on = await told(
    {
      ddl: 'create table public.preferences (email text primary key, state text)',
      connector: `table_mapping:
  preferences:
    sync_as: events
    event_name: preference_changed
    operations: [insert, update]
    contact: { email: email }
    properties: { state: state }`,
      more: `${OFF}\nwrite_back: { column: preferences.state, contact: { email: email } }`,
    },
    ['mailtrap'],
  );
  const { world, leave, sandbox } = on;
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.db.app.query(`insert into public.preferences values ('ann@example.com', 'all')`);
  await world.settled();
  const events = () =>
    sandbox.calls().filter(({ path, method }) => method === 'POST' && path.endsWith('/events')).length;
  await eventually(() => events() === 1);
  await leave('mailtrap', 'ann@example.com');
  const state = async () => (await world.db.app.query('select state from public.preferences')).rows[0].state;
  await eventually(async () => (await state()) === 'opted_out');
  await world.db.app.query(`update public.preferences set state = 'some'`);
  await eventually(() => events() === 2);
  await world.settled();
  expect(events()).toBe(2);
  const { rows } = await world.db.app.query(`select properties ->> 'state' as state from rollcall.events order by seq`);
  expect(rows.map((row) => row.state as string)).toEqual(['all', 'some']);
});

test('a row that the app holds, and a trigger that fails, hold up nobody, and are tried again', async () => {
  const on = await twoWay(EVERYONE, 'write_back: { column: profiles.unsubscribed }');
  const { world, leave, profile } = on;
  const ids = [];
  for (const name of ['ann', 'bob', 'eve']) ids.push(await world.signUp(`${name}@example.com`, { full_name: name }));
  const [ann, bob, eve] = ids as [string, string, string];
  await world.settled();
  await world.db.app.query(`create function public.refuse() returns trigger language plpgsql as $$ begin
      if new.id = '${bob}' and new.plan is null then raise exception 'no'; end if; return new; end $$;
    create trigger refuse before update on public.profiles for each row execute function public.refuse();`);
  await world.db.app.query('begin');
  await world.db.app.query(`update public.profiles set plan = 'held' where id = $1`, [ann]);
  try {
    for (const name of ['ann', 'bob', 'eve']) await leave('mailtrap', `${name}@example.com`);
    await eventually(async () => (await profile(eve))['unsubscribed'] === true);
    await eventually(() => world.logs.some((line) => line.includes('could not write consent back')));
  } finally {
    await world.db.app.query('commit');
  }
  await eventually(async () => (await profile(ann))['unsubscribed'] === true);
  await world.db.app.query(`update public.profiles set plan = 'mended' where id = $1`, [bob]);
  await world.db.app.query('update rollcall.write_backs set due_at = now() where due_at is not null');
  await eventually(async () => (await profile(bob))['unsubscribed'] === true);
  expect(world.logs.join('\n')).not.toContain('example.com');
});
