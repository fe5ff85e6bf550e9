import { describe, expect, test } from 'vitest';
import type { ContactTable } from '../../../src/core/mapping.ts';
import type { TestDatabase } from '../../support/database.ts';
import { contacts, inspect, linkText, named, project, refusal } from './inspect-support.ts';

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
