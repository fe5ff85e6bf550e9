import { describe, expect, test } from 'vitest';
import type { ContactTable } from '../../../src/core/mapping.ts';
import type { TestDatabase } from '../../support/database.ts';
import { attribute } from '../../support/config.ts';
import {
  aggregate,
  contacts,
  events,
  inspect,
  linkText,
  named,
  project,
  refusal,
  withAttributes,
} from './inspect-support.ts';

/** The link of one table of contacts. */
async function ofContacts(db: TestDatabase, name: string, more: Partial<ContactTable> = {}): Promise<string> {
  return linkText((await inspect(db, { tables: [contacts(name, more)] })).contacts[0]?.link);
}

const SHOP = `
  create table public.profiles (id uuid primary key references auth.users (id) on delete cascade, mail text);
  create table public.customers (id bigint primary key, email text, user_id uuid references auth.users (id), old_id text unique);
  create table public.guests (id int primary key, e_mail varchar(100));
  create table public.orders (id int primary key, customer_id bigint references public.customers (id), total numeric, email text);`;

describe('tables of contacts', () => {
  test('one foreign key to auth.users leads to the user, with the mapped address behind it', async () => {
    const db = await project(SHOP);
    expect(await ofContacts(db, 'profiles')).toBe('user:id');
    expect(await ofContacts(db, 'profiles', { email: 'mail' })).toBe('user:id email:mail');
    expect(await ofContacts(db, 'customers', { email: 'email' })).toBe('user:user_id email:email');
  });

  test('without one the mapped address leads to the contact', async () => {
    const db = await project(SHOP);
    expect(await ofContacts(db, 'guests', { email: 'e_mail' })).toBe('email:e_mail');
  });

  test('what the config says comes before what is found; a user column keeps the address behind it', async () => {
    const db = await project(`${SHOP} create table public.texts (id int primary key, who text, mail text)`);
    expect(await ofContacts(db, 'customers', { email: 'email', link: { kind: 'email', column: 'email' } })).toBe(
      'email:email',
    );
    expect(await ofContacts(db, 'texts', { email: 'mail', link: { kind: 'user', column: 'who' } })).toBe(
      'user:who email:mail',
    );
    expect(await ofContacts(db, 'texts', { link: { kind: 'user', column: 'who' } })).toBe('user:who');
  });

  test('rows may lead through another table of contacts, wherever that stands in the config', async () => {
    const db = await project(`${SHOP} create table public.addresses (id int primary key, customer_id int, city text)`);
    const link = { kind: 'table', table: named('customers'), column: 'customer_id' } as const;
    const both = [contacts('addresses', { link }), contacts('customers', { email: 'email' })];
    for (const tables of [both, both.toReversed()]) {
      const { contacts: found } = await inspect(db, { tables });
      const byName = Object.fromEntries(found.map((c) => [c.table.name, [c.rank, linkText(c.link)]]));
      expect(byName).toEqual({
        'public.addresses': [tables === both ? 1 : 2, 'via:customer_id->public.customers.id(user:user_id email:email)'],
        'public.customers': [tables === both ? 2 : 1, 'user:user_id email:email'],
      });
    }
  });

  test('nothing that leads to a contact is an error with a place', async () => {
    const db = await project(SHOP);
    expect(await refusal(db, { tables: [contacts('guests')] })).toMatchObject({
      code: 'RC_NO_CONTACT_LINK',
      message: expect.stringContaining('public.guests'),
      hint: expect.stringContaining('contact:'),
      path: 'table_mapping.guests',
      line: 7,
    });
  });

  test('several keys to auth.users are an error that names them; two constraints on one column are one key', async () => {
    const db = await project(`
      create table public.members (id int primary key, email text, user_id uuid references auth.users (id),
        invited_by uuid references auth.users (id));
      create table public.twice (id uuid primary key references auth.users (id), constraint again foreign key (id) references auth.users (id));
      create table public.by_phone (phone text primary key references auth.users (phone), email text)`);
    const found = await refusal(db, { tables: [contacts('members', { email: 'email' })] });
    expect(found).toMatchObject({ code: 'RC_NO_CONTACT_LINK', hint: 'Say which: `contact: {user_id: invited_by}`.' });
    expect(found.message).toContain('"invited_by" (to auth.users), "user_id" (to auth.users)');
    expect(await ofContacts(db, 'twice')).toBe('user:id');
    expect(await ofContacts(db, 'by_phone', { email: 'email' }), 'a key to another column').toBe('email:email');
  });

  test('the mapped address must be a text column that exists', async () => {
    const db = await project(SHOP);
    expect(await refusal(db, { tables: [contacts('guests', { email: 'email' })] })).toMatchObject({
      code: 'RC_CONFIG_COLUMN_UNKNOWN',
      hint: 'Did you mean "e_mail"?',
      path: 'table_mapping.guests.email',
    });
    expect(await refusal(db, { tables: [contacts('guests', { email: 'id' })] })).toMatchObject({
      code: 'RC_CONTACT_LINK',
    });
  });

  test('the consent column must be one of a mapped table of contacts', async () => {
    const db = await project(`${SHOP} alter table public.guests add said_yes boolean`);
    const consent = (table: string, column: string) =>
      ({ kind: 'column', table: named(table), path: [column], line: 3, column: 4 }) as const;
    const tables = [contacts('guests', { email: 'e_mail' })];
    expect((await inspect(db, { tables, consent: consent('guests', 'said_yes') })).contacts).toHaveLength(1);
    expect(await refusal(db, { tables, consent: consent('guests', 'said_yeah') })).toMatchObject({
      code: 'RC_CONFIG_COLUMN_UNKNOWN',
      hint: 'Did you mean "said_yes"?',
      path: 'consent',
      line: 3,
    });
    expect(await refusal(db, { tables, consent: consent('orders', 'id') })).toMatchObject({
      message: expect.stringContaining('no mapped table'),
    });
  });
});

describe('rows about contacts', () => {
  const shop = [contacts('customers', { email: 'email' })];

  test('a foreign key to auth.users comes first, then one to a table of contacts, then a column with an address', async () => {
    const db = await project(`${SHOP}
      create table public.visits (id int primary key, user_id uuid references auth.users (id), customer_id bigint references public.customers (id), email text);
      create table public.by_other_key (id int primary key, customer text references public.customers (old_id));
      create table public.tickets (id int primary key, email text, user_email text, customer_email text);
      create table public.mails (id int primary key, email text, user_email text, customer_email jsonb);
      create table public.plain (id int primary key, email text, guest_id int references public.guests (id));`);
    const found = await inspect(db, {
      tables: shop,
      eventTables: ['visits', 'orders', 'by_other_key', 'tickets', 'mails', 'plain'].map((name) => events(name)),
    });
    expect(found.warnings).toEqual([]);
    expect(Object.fromEntries(found.events.map((e) => [e.table.table, linkText(e.link)]))).toEqual({
      visits: 'user:user_id',
      orders: 'via:customer_id->public.customers.id(user:user_id email:email)',
      by_other_key: 'via:customer->public.customers.old_id(user:user_id email:email)',
      tickets: 'email:customer_email',
      mails: 'email:user_email',
      plain: 'email:email',
    });
    const { aggregates } = await inspect(db, {
      tables: shop,
      ...withAttributes(aggregate('ORDERS', 'count(*)', 'orders'), aggregate('SELVES', 'count(*)', 'customers')),
    });
    expect(aggregates.map((a) => linkText(a.link))).toEqual([
      'via:customer_id->public.customers.id(user:user_id email:email)',
      'user:user_id email:email',
    ]);
    // Without the table of contacts its key leads nowhere.
    const alone = await inspect(db, { eventTables: [events('orders')] });
    expect(linkText(alone.events[0]?.link)).toBe('email:email');
  });

  test('a key of several columns, to a partitioned table, and from a partition', async () => {
    const db = await project(`
      create table public.people (id int primary key, email text) partition by range (id);
      create table public.people_1 partition of public.people for values from (0) to (100);
      create table public.people_2 partition of public.people for values from (100) to (200);
      create table public.teams (a int, b int, email text, primary key (a, b));
      create table public.logs (id int primary key, person_id int references public.people (id)) partition by range (id);
      create table public.logs_1 partition of public.logs for values from (0) to (100);
      create table public.scores (id int primary key, a int, b int, email text, foreign key (a, b) references public.teams (a, b));`);
    const found = await inspect(db, {
      tables: [contacts('people', { email: 'email' }), contacts('teams', { email: 'email' })],
      eventTables: ['logs', 'logs_1', 'scores'].map((name) => events(name)),
    });
    expect(found.events.map((e) => linkText(e.link))).toEqual([
      'via:person_id->public.people.id(email:email)',
      'via:person_id->public.people.id(email:email)',
      'email:email',
    ]);
  });

  test('events that lead to nobody are left out, with a warning; an aggregate that does is an error', async () => {
    const db = await project(`${SHOP} create table public.logs (id int primary key, what text);
      create table public.calls (id int primary key, caller uuid references auth.users (id), callee uuid references auth.users (id));
      create table public.swaps (id int primary key, giver bigint references public.customers (id), taker bigint references public.customers (id), email text);
      create table public.hops (id int primary key, address_id int);
      create table public.addresses (id int primary key, customer_id bigint)`);
    const { events: found, warnings } = await inspect(db, {
      tables: shop,
      eventTables: [events('logs'), events('orders'), events('calls'), events('swaps')],
    });
    expect(found.map((e) => e.table.table)).toEqual(['orders']);
    expect(warnings.map((w) => [w.code, w.line])).toEqual([1, 2, 3].map(() => ['RC_WARN_EVENTS_NO_CONTACT', 8]));
    expect(warnings[0]?.message).toMatch(/public\.logs are not sent.*contact: \{user_id/);
    expect(warnings[1]?.message).toMatch(/"callee" \(to auth\.users\), "caller" .*contact: \{user_id: callee\}/);
    expect(warnings[2]?.message).toMatch(/"giver" \(to public\.customers\), "taker".*contact: \{customers: giver\}/);
    for (const from of ['logs', 'calls', 'swaps']) {
      expect(await refusal(db, { tables: shop, ...withAttributes(aggregate('N', 'count(*)', from)) })).toMatchObject({
        code: 'RC_NO_CONTACT_LINK',
        message: expect.stringContaining(`public.${from}`),
        path: 'user_mapping.attributes.N.from',
        line: 10,
      });
    }
  });

  test('what the config says must be there and fit', async () => {
    const db = await project(
      `${SHOP}
      create table public.logs (id int primary key, who uuid, who_text text, who_int int, email citext_or_text, at jsonb);
      create table public.teams (a int, b int, email text, primary key (a, b));
      create table public.parts (id int primary key, customer_id bigint);
      create view public.shown as select * from public.customers;`.replace('citext_or_text', 'text'),
    );
    const tables = [
      ...shop,
      contacts('teams', { email: 'email' }),
      contacts('parts', { link: { kind: 'table', table: named('customers'), column: 'customer_id' } }),
      contacts('shown', { email: 'email', everyMs: 1_000 }),
    ];
    const log = (link: NonNullable<ContactTable['link']>) => ({ tables, eventTables: [events('logs', { link })] });
    const through = (table: string, column: string) => log({ kind: 'table', table: named(table), column });
    for (const column of ['who', 'who_text']) {
      const { events: found } = await inspect(db, log({ kind: 'user', column }));
      expect(linkText(found[0]?.link)).toBe(`user:${column}`);
    }
    expect(linkText((await inspect(db, through('customers', 'who_int'))).events[0]?.link)).toMatch(/^via:who_int/);
    const wrong: [Parameters<typeof refusal>[1], string, RegExp][] = [
      [log({ kind: 'user', column: 'whoo' }), 'RC_CONFIG_COLUMN_UNKNOWN', /no column "whoo"/],
      [log({ kind: 'email', column: 'mail' }), 'RC_CONFIG_COLUMN_UNKNOWN', /no column "mail"/],
      [log({ kind: 'user', column: 'who_int' }), 'RC_CONTACT_LINK', /"who_int" of public\.logs is integer/],
      [log({ kind: 'email', column: 'at' }), 'RC_CONTACT_LINK', /"at" of public\.logs is jsonb/],
      [through('customers', 'nope'), 'RC_CONFIG_COLUMN_UNKNOWN', /no column "nope"/],
      [through('customers', 'who'), 'RC_CONTACT_LINK', /is uuid, and the primary key of public\.customers is bigint/],
      [through('teams', 'who_int'), 'RC_CONTACT_LINK', /public\.teams, and that table has several columns/],
      [through('shown', 'who_int'), 'RC_CONTACT_LINK', /public\.shown, and that table has none, as it is a view/],
      [through('parts', 'who_int'), 'RC_CONTACT_LINK', /public\.parts leads to its contacts through another table/],
      [through('guests', 'who_int'), 'RC_CONTACT_LINK', /no other mapped table of contacts/],
    ];
    for (const [config, code, message] of wrong) {
      const found = await refusal(db, config);
      expect(found).toMatchObject({ code, path: 'table_mapping.logs.contact', line: 8 });
      expect(found.message).toMatch(message);
    }
    const itself = contacts('guests', { link: { kind: 'table', table: named('guests'), column: 'id' } });
    expect(await refusal(db, { tables: [itself] })).toMatchObject({ code: 'RC_CONTACT_LINK' });
  });
});

describe('columns', () => {
  test('what the config names must exist, and paths lie inside json only', async () => {
    const db = await project(`create table public.people (id int primary key, email text, address jsonb, doc json,
      tags text[], "fullName" text)`);
    const people = (...attributes: ReturnType<typeof attribute>[]) => ({
      tables: [contacts('people', { email: 'email', attributes })],
    });
    const template = (text: string) =>
      attribute('T', 'email', {
        path: 'table_mapping.people.email',
        transforms: [{ name: 'template', template: text }],
      });
    await inspect(
      db,
      people(
        attribute('CITY', 'address.city'),
        attribute('DEEP', 'doc.a.b'),
        attribute('TAGS', 'tags'),
        template('{value} {fullName} {address.city}'),
      ),
    );
    const wrong: [ReturnType<typeof attribute>, string, RegExp, RegExp][] = [
      [attribute('A', 'fullname'), 'RC_CONFIG_COLUMN_UNKNOWN', /"fullname"/, /Did you mean "fullName"/],
      [attribute('A', 'adress.city'), 'RC_CONFIG_COLUMN_UNKNOWN', /"adress"/, /Did you mean "address"/],
      [
        attribute('A', 'qqq'),
        'RC_CONFIG_COLUMN_UNKNOWN',
        /"qqq"/,
        /There are: id, email, address, doc, tags, fullName\./,
      ],
      [attribute('A', 'email.x'), 'RC_CONFIG_COLUMN_PATH', /"email" of public\.people is not json/, /Map "email"/],
      [attribute('A', 'tags.0'), 'RC_CONFIG_COLUMN_PATH', /"tags"/, /expression/],
      [template('{nmae}'), 'RC_CONFIG_COLUMN_UNKNOWN', /"nmae"/, /There are/],
      [template('{tags.x}'), 'RC_CONFIG_COLUMN_PATH', /"tags"/, /expression/],
    ];
    for (const [one, code, message, hint] of wrong) {
      for (const config of [people(one), { eventTables: [events('people', { properties: [one] })] }]) {
        const found = await refusal(db, config);
        expect(found).toMatchObject({ code, path: one.path, line: 1 });
        expect(found.message).toMatch(message);
        expect(found.hint).toMatch(hint);
      }
    }
    const total = aggregate(
      'N',
      'count(*)',
      'people',
      {},
      { transforms: [{ name: 'template', template: '{email} {value}' }] },
    );
    expect(await refusal(db, withAttributes(total))).toMatchObject({ code: 'RC_CONFIG_TRANSFORM' });
  });
});
