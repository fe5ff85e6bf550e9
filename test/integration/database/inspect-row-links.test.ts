import { describe, expect, test } from 'vitest';
import type { ContactTable } from '../../../src/core/mapping.ts';
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

const SHOP = `
  create table public.profiles (id uuid primary key references auth.users (id) on delete cascade, mail text);
  create table public.customers (id bigint primary key, email text, user_id uuid references auth.users (id), old_id text unique);
  create table public.guests (id int primary key, e_mail varchar(100));
  create table public.orders (id int primary key, customer_id bigint references public.customers (id), total numeric, email text);`;

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
