/** What an app does in one statement. `a`, `b` and `n` choose rows and values; what is not there matches no row. */
export interface Choice {
  readonly a: number;
  readonly b: number;
  readonly n: number;
}

/** One statement; with `copy`, the rows that are sent after a COPY FROM STDIN. */
export interface Statement {
  readonly sql: string;
  readonly copy?: string;
}

/** How many users, addresses and customers there are at most. */
export const SLOTS = 4;

/** @param rev the first of a hundred numbers nobody else has, past what a double can hold */
type Make = (choice: Choice, rev: bigint) => string | Statement;

const slot = (i: number): number => i % SLOTS;
const user = (i: number): string => `'00000000-0000-4000-8000-00000000000${slot(i)}'`;
/** An existing user, else nobody. */
const someUser = (i: number): string => `(select id from auth.users where id = ${user(i)})`;
const customer = (i: number): string => `'c${slot(i)}'`;
const someCustomer = (i: number): string => `(select id from public.customers where id = ${customer(i)})`;
/** One address in the ways people write it. */
const address = (i: number, n: number): string => (n === 4 ? `'A${slot(i)}@Example.com'` : `'a${slot(i)}@example.com'`);
const typedAddress = (i: number, n: number): string => (n === 6 ? `' a${slot(i)}@Example.com '` : address(i, n));
const orNull = (n: number, sql: string): string => (n === 9 ? 'null' : sql);
const text = (prefix: string, n: number): string => (n === 0 ? 'null' : `'${prefix}${n}'`);
/** Near midnight, where the day depends on the time zone. */
const day = (n: number): string => `timestamptz '2026-03-0${1 + (n % 3)} 23:30:00.123456+00'`;
const meta = (n: number, rev: bigint): string =>
  `jsonb_build_object('full_name', ${text('Meta ', n)}, 'rev', ${rev}, 'role', '${n === 8 ? 'test' : 'user'}')`;
const confirmed = (n: number): string => (n === 5 ? 'null' : 'now()');
const json = (n: number): string => (n % 3 === 0 ? 'null' : `'{"city":"Town ${n}"}'`);
const amount = (n: number): string => `${n - 2}.1234567890123456789`;

const USER = '(id, email, email_confirmed_at, raw_user_meta_data, created_at, is_sso_user, is_anonymous)';
const CUSTOMER = '(id, email, user_id, "fullName", plan, address, archived, created_at)';

const users = {
  signUp: ({ a, b, n }, rev) =>
    `insert into auth.users ${USER} values (${user(a)}, ${n === 7 ? 'null' : address(b, n)}, ${confirmed(n)}, ${meta(n, rev)}, now(), ${n === 6}, ${n === 7})`,
  upsertUser: ({ a, b, n }, rev) =>
    `insert into auth.users ${USER} values (${user(a)}, ${address(b, n)}, ${confirmed(n)}, ${meta(n, rev)}, now(), false, false)
     on conflict (id) do update set email = excluded.email, raw_user_meta_data = excluded.raw_user_meta_data`,
  signUpMany: ({ n }, rev) =>
    `insert into auth.users ${USER} select ('00000000-0000-4000-8000-00000000000' || i)::uuid, 'a' || i || '@example.com', now(), ${meta(n, rev)} || jsonb_build_object('rev', ${rev} + i), now(), false, false
     from generate_series(0, ${SLOTS - 1}) i on conflict do nothing`,
  copyUsers: ({ a, b, n }, rev) => ({
    sql: 'copy auth.users (id, email, email_confirmed_at, raw_user_meta_data, is_sso_user, is_anonymous) from stdin',
    copy: [a, a + 1]
      .map(
        (i, k) =>
          `${user(i).slice(1, -1)}\t${address(b + k, n).slice(1, -1)}\t2026-01-01\t{"full_name":"Copy ${n}","rev":${rev + BigInt(k)}}\tf\tf\n`,
      )
      .join(''),
  }),
  mergeUsers: ({ a, b, n }, rev) =>
    `merge into auth.users u using (values (${user(a)}::uuid, ${address(b, n)}), (${user(a + 1)}::uuid, ${address(b + 1, n)})) v (id, email) on u.id = v.id
     when matched and ${n % 4 === 0} then delete
     when matched then update set email = v.email
     when not matched then insert ${USER} values (v.id, v.email, now(), ${meta(n, rev)} || jsonb_build_object('rev', ${rev} + ascii(right(v.id::text, 1))), now(), false, false)`,
  editUser: ({ a, n }, rev) => `update auth.users set raw_user_meta_data = ${meta(n, rev)} where id = ${user(a)}`,
  editUsers: ({ n }) =>
    `update auth.users set raw_user_meta_data = raw_user_meta_data || jsonb_build_object('full_name', ${text('All ', n)})`,
  moveUser: ({ a, b, n }) => `update auth.users set email = ${orNull(n, address(b, n))} where id = ${user(a)}`,
  // Nobody gets the hash of somebody who was soft-deleted.
  swapUsers: ({ a, b }) => `do $$ declare x text := (select email from auth.users where id = ${user(a)});
     y text := (select email from auth.users where id = ${user(b)}); begin
     if exists (select from auth.users where id in (${user(a)}, ${user(b)}) and deleted_at is not null) then return; end if;
     update auth.users set email = 'between@example.com' where id = ${user(a)};
     update auth.users set email = x where id = ${user(b)};
     update auth.users set email = y where id = ${user(a)}; end $$`,
  confirmUser: ({ a }) => `update auth.users set email_confirmed_at = now() where id = ${user(a)}`,
  makePermanent: ({ a, b, n }) =>
    `update auth.users set is_anonymous = false, email = ${address(b, n)}, email_confirmed_at = now() where id = ${user(a)}`,
  banUser: ({ a, n }) =>
    `update auth.users set banned_until = ${['null', `'2020-01-01'`, `'2099-01-01'`][n % 3]} where id = ${user(a)}`,
  // As Supabase Auth does it: the address becomes a hash.
  softDelete: ({ a }) =>
    `update auth.users set deleted_at = now(), email = md5(email), raw_user_meta_data = '{}' where id = ${user(a)}`,
  deleteUser: ({ a }) => `delete from auth.users where id = ${user(a)}`,
  deleteUsers: ({ a, b }) => `delete from auth.users where id in (${user(a)}, ${user(b)})`,
  rekeyUser: ({ a, b }) => `update auth.users set id = ${user(b)} where id = ${user(a)}`,
} satisfies Record<string, Make>;

const tables = {
  putProfile: ({ a, b, n }) =>
    `insert into public.profiles (id, full_name, city) values (${user(a)}, ${text('Profile ', n)}, ${text('City ', b)})
     on conflict (id) do update set full_name = excluded.full_name, city = excluded.city`,
  editProfiles: ({ n }) => `update public.profiles set full_name = ${text('Profiles ', n)}`,
  rekeyProfile: ({ a, b }) => `update public.profiles set id = ${user(b)} where id = ${user(a)}`,
  dropProfile: ({ a }) => `delete from public.profiles where id = ${user(a)}`,
  addCustomer: ({ a, b, n }) =>
    `insert into public.customers ${CUSTOMER} values (${customer(a)}, ${orNull(n, typedAddress(b, n))}, ${n % 2 === 0 ? 'null' : someUser(n)}, ${text('Customer ', n)}, ${text('plan', b)}, ${json(n)}, ${n === 8}, ${day(a)})`,
  putCustomer: ({ a, b, n }) =>
    `insert into public.customers ${CUSTOMER} values (${customer(a)}, ${address(b, n)}, null, ${text('Put ', n)}, null, ${json(n)}, null, ${day(n)})
     on conflict (id) do update set email = excluded.email, "fullName" = excluded."fullName"`,
  copyCustomers: ({ a, b, n }) => ({
    sql: `copy public.customers (id, email, "fullName", created_at) from stdin`,
    copy: [a, a + 1]
      .map((i) => `${customer(i).slice(1, -1)}\t${address(b, n).slice(1, -1)}\tCopied ${n}\t2026-03-02\n`)
      .join(''),
  }),
  mergeCustomers: ({ a, b, n }) =>
    `merge into public.customers c using (values (${customer(a)}, ${address(b, n)}), (${customer(a + 1)}, ${address(b + 1, n)})) v (id, email) on c.id = v.id
     when matched and ${n % 4 === 0} then delete
     when matched then update set email = v.email, "fullName" = ${text('Merged ', n)}
     when not matched then insert ${CUSTOMER} values (v.id, v.email, null, ${text('Merged ', n)}, 'plan1', null, false, ${day(n)})`,
  editCustomer: ({ a, b, n }) =>
    `update public.customers set "fullName" = ${text('Customer ', n)}, plan = ${text('plan', b)}, address = ${json(n)} where id = ${customer(a)}`,
  moveCustomer: ({ a, b, n }) =>
    `update public.customers set email = ${orNull(n, typedAddress(b, n))} where id = ${customer(a)}`,
  swapCustomers: ({ a, b }) =>
    `update public.customers c set email = o.email, user_id = o.user_id from public.customers o
      where c.id in (${customer(a)}, ${customer(b)}) and o.id in (${customer(a)}, ${customer(b)}) and o.id <> c.id`,
  linkCustomer: ({ a, b, n }) =>
    `update public.customers set user_id = ${n % 3 === 0 ? 'null' : someUser(b)} where id = ${customer(a)}`,
  rekeyCustomer: ({ a, b }) => `update public.customers set id = ${customer(b)} where id = ${customer(a)}`,
  archiveCustomer: ({ a, n }) =>
    `update public.customers set archived = ${['true', 'false', 'null'][n % 3]} where id = ${customer(a)}`,
  redateCustomers: ({ n }) =>
    `update public.customers set created_at = ${day(n)} + right(id, 1)::int % 2 * interval '1 day'`,
  dropCustomer: ({ a }) => `delete from public.customers where id = ${customer(a)}`,
  placeOrders: ({ a, n }, rev) =>
    `insert into public.orders (customer_id, rev, total) select ${someCustomer(a)}, ${rev} + i, ${amount(n)} + i from generate_series(0, ${n % 3}) i`,
  orderForAll: ({ n }, rev) =>
    `insert into public.orders (customer_id, rev, total) select id, ${rev} + right(id, 1)::int, ${amount(n)} from public.customers`,
  editOrders: ({ a, n }) => `update public.orders set total = ${amount(n)} where customer_id = ${customer(a)}`,
  moveOrders: ({ a, b }) =>
    `update public.orders set customer_id = ${someCustomer(b)} where customer_id = ${customer(a)}`,
  dropOrders: ({ a }) => `delete from public.orders where customer_id = ${customer(a)}`,
  openTicket: ({ a, b, n }, rev) =>
    `insert into public.tickets (team, nr, user_id, status, rev) values ('T${b % 2}', ${n % 3}, ${someUser(a)}, 'Open', ${rev})`,
  workTicket: ({ b, n }, rev) =>
    `update public.tickets set status = 'S${n}', rev = ${rev} where team = 'T${b % 2}' and nr = ${n % 3}`,
  workTickets: ({ n }, rev) => `update public.tickets set status = 'All ${n}', rev = ${rev}`,
  workTwice: ({ b }, rev) =>
    `do $$ begin update public.tickets set status = 'Once ${rev}', rev = ${rev} where team = 'T${b % 2}';
     update public.tickets set status = 'Twice ${rev}', rev = ${rev + 1n} where team = 'T${b % 2}'; end $$`,
  rekeyTicket: ({ a, b, n }, rev) =>
    `update public.tickets set nr = ${a % 3}, status = 'Moved ${n}', rev = ${rev} where team = 'T${b % 2}' and nr = ${n % 3}`,
  giveTickets: ({ a, b, n }, rev) =>
    `update public.tickets set user_id = ${someUser(a)}, status = 'Given ${n}', rev = ${rev} where team = 'T${b % 2}'`,
  closeTicket: ({ b, n }) => `delete from public.tickets where team = 'T${b % 2}' and nr = ${n % 3}`,
  pay: ({ a, b, n }) =>
    `insert into public.payments (user_id, customer_email, amount, status, paid_at)
     values (${n % 2 === 0 ? 'null' : someUser(a)}, ${orNull(n, typedAddress(b, n))}, ${n}.25, '${n === 3 ? 'failed' : 'paid'}', ${day(n)})`,
  editPayments: ({ n }) => `update public.payments set amount = amount + ${n}, paid_at = ${day(n)}`,
  movePayments: ({ a, b, n }) =>
    `update public.payments set user_id = ${someUser(b)}, customer_email = ${address(a, n)} where user_id is not distinct from ${someUser(a)}`,
  settlePayments: ({ n }) => `update public.payments set status = '${n % 2 === 0 ? 'paid' : 'failed'}'`,
  dropPayments: ({ a }) => `delete from public.payments where user_id = ${user(a)}`,
  truncatePayments: () => 'truncate public.payments',
} satisfies Record<string, Make>;

const STATEMENTS: Record<StatementKind, Make> = { ...users, ...tables };

/** The name of a statement. */
export type StatementKind = keyof typeof users | keyof typeof tables;

/**
 * The statement of a step.
 * @param turn its place in the scenario: the numbers that tell rows apart are made of it
 */
export function statement(kind: StatementKind, choice: Choice, turn: number): Statement {
  const made = STATEMENTS[kind](choice, 9_007_199_254_740_993n + BigInt(turn) * 100n);
  return typeof made === 'string' ? { sql: made } : made;
}

/** People who were there before: one of each kind, so that there is something to change. */
export const CROWD: readonly string[] = [
  `insert into auth.users ${USER} select ('00000000-0000-4000-8000-00000000000' || i)::uuid, 'a' || i || '@example.com', now(),
     jsonb_build_object('full_name', 'Old ' || i, 'rev', i), now(), false, false from generate_series(0, 2) i`,
  `insert into public.profiles (id, full_name) select id, 'Profile of ' || email from auth.users where email <> 'a1@example.com'`,
  `insert into public.customers ${CUSTOMER} select 'c' || i, 'a' || (i + 1) || '@example.com', case when i = 0 then ${user(0)}::uuid end, 'Customer ' || i,
     'old', '{"city":"Old Town"}', false, ${day(0)} from generate_series(0, 2) i`,
  `insert into public.orders (customer_id, rev, total) select id, 100, 10.5 from public.customers`,
  `insert into public.tickets (team, nr, user_id, status, rev) select 'T' || i % 2, i % 3, ('00000000-0000-4000-8000-00000000000' || i % 3)::uuid, 'Old', i from generate_series(0, 5) i`,
  `insert into public.payments (user_id, customer_email, amount, status, paid_at) select id, email, 7, 'paid', ${day(1)} from auth.users`,
];
