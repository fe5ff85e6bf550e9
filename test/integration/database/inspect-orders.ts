import { aggregate, contacts, events, sql, withAttributes } from './inspect-support.ts';

/** A table of orders with columns of the project's own types, and functions that an expression may not call. */
export const ORDERS = `
  create type public.state as enum ('open', 'paid');
  create type public.spot as (street text, state public.state);
  create domain public.price as numeric(10, 2);
  create domain public.picky as text check (length(value) > 1);
  create type public.other_state as enum ('x');
  create table public.orders (id int primary key, email text, total public.price, state public.state, states public.state[],
    home public.spot, note public.picky, items jsonb, created_at timestamptz, "user" text);
  create table public.secrets (id int primary key, value text);
  create function public.tier_of(t numeric) returns text language sql immutable as 'select 1::text';
  create function public.dice() returns int language sql volatile as 'select 1';
  create function public.add(a int, b int) returns int language sql immutable as 'select a + b';
  create aggregate public.total_of (int) (sfunc = public.add, stype = int, initcond = '0');`;

/** An expression over a row of orders, over all rows of a contact, and over the row of an event. */
export const inConfig = (expression: string) => ({
  row: { tables: [contacts('orders', { email: 'email', attributes: [sql('X', expression)] })] },
  rows: withAttributes(aggregate('X', expression, 'orders')),
  event: { eventTables: [events('orders', { properties: [sql('x', expression)] })] },
});
