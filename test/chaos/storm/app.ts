/** How many users, addresses and customers there are at most. */
const SLOTS = 30;
/** Half of what happens, by even numbers, happens to so few of them, so that it meets. */
const HOT = 5;

/** What chooses rows and values. */
interface Choice {
  readonly a: number;
  readonly b: number;
  readonly n: number;
}

const slot = (i: number): number => (i % 2 === 0 ? (i >> 1) % HOT : (i >> 1) % SLOTS);
const user = (i: number): string => `'00000000-0000-4000-8000-${String(slot(i)).padStart(12, '0')}'`;
const customer = (i: number): string => `'c${slot(i)}'`;
/** The address of a slot. */
export const addressOf = (i: number): string => `a${slot(i)}@example.com`;
const address = (i: number): string => `'${addressOf(i)}'`;

/**
 * What every other user is told by, whatever happens to them. It is never cleared, so that it stays where somebody takes an address
 * over and nobody clears what they do not send.
 * @param id of `auth.users`
 */
export function ownerOf(id: string): string | undefined {
  return Number(id.at(-1)) % 2 === 0 ? id : undefined;
}
/** The same as SQL over a row of `auth.users`. */
export const OWNER = 'case when right(id::text, 1)::int % 2 = 0 then id::text end';

/** What every write to a user leaves behind: a greater number each time, which tells at a destination what is newer. */
const stamp = (turn: number, more = ''): string => `jsonb_build_object('n', ${turn * 1000}${more})`;
const fresh = (turn: number, n: number): string => stamp(turn, `, 'full_name', 'Person ${n}', 'rev', ${turn * 1000}`);

const USER = '(id, email, email_confirmed_at, raw_user_meta_data, created_at, is_sso_user, is_anonymous)';

const ACTS = {
  signUp: ({ a, b, n }, turn) =>
    `insert into auth.users ${USER} values (${user(a)}, ${address(b)}, now(), ${fresh(turn, n)}, now(), false, false) on conflict do nothing`,
  signUpMany: (_, turn) =>
    `insert into auth.users ${USER} select ('00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid, 'a' || i || '@example.com', now(),
       ${fresh(turn, 0)} || jsonb_build_object('n', ${turn * 1000} + i, 'rev', ${turn * 1000} + i), now(), false, false
     from generate_series(0, ${SLOTS - 1}) i on conflict do nothing`,
  edit: ({ a, n }, turn) =>
    `update auth.users set raw_user_meta_data = raw_user_meta_data || ${stamp(turn, `, 'full_name', 'Edited ${n}'`)} where id = ${user(a)}`,
  editMany: ({ n }, turn) =>
    `update auth.users set raw_user_meta_data = raw_user_meta_data || ${stamp(turn)} where right(id::text, 1)::int % 3 = ${n % 3}`,
  editAgain: ({ a, n }, turn) =>
    `update auth.users set raw_user_meta_data = raw_user_meta_data || ${stamp(turn, `, 'full_name', 'Again ${n % 2}'`)} where id = ${user(a)}`,
  move: ({ a, b }, turn) =>
    `update auth.users set email = ${address(b)}, raw_user_meta_data = raw_user_meta_data || ${stamp(turn)}
      where id = ${user(a)} and not exists (select from auth.users where email = ${address(b)})`,
  // Both are stamped, and the one who is there after the other has the greater number.
  swap: ({ a, b }, turn) => `do $$ declare x text := (select email from auth.users where id = ${user(a)});
     y text := (select email from auth.users where id = ${user(b)}); begin
     if x is null or y is null or x = y then return; end if;
     update auth.users set email = 'between@example.com', raw_user_meta_data = raw_user_meta_data || ${stamp(turn)} where id = ${user(a)};
     update auth.users set email = x, raw_user_meta_data = raw_user_meta_data || ${stamp(turn)} where id = ${user(b)};
     update auth.users set email = y where id = ${user(a)}; end $$`,
  ban: ({ a, n }, turn) =>
    `update auth.users set banned_until = ${n % 2 === 0 ? 'null' : `'2099-01-01'`}, raw_user_meta_data = raw_user_meta_data || ${stamp(turn)} where id = ${user(a)}`,
  remove: ({ a }) => `delete from auth.users where id = ${user(a)}`,
  // Somebody else has the address in the same moment.
  replace: ({ a, b, n }, turn) => `do $$ declare x text := (select email from auth.users where id = ${user(a)}); begin
     if x is null or exists (select from auth.users where id = ${user(b)}) then return; end if;
     delete from auth.users where id = ${user(a)};
     insert into auth.users ${USER} values (${user(b)}, x, now(), ${fresh(turn, n)}, now(), false, false); end $$`,
  // Somebody who is there already has the address in the same moment.
  succeed: ({ a, b }, turn) => `do $$ declare x text := (select email from auth.users where id = ${user(a)}); begin
     if x is null or not exists (select from auth.users where id = ${user(b)} and id <> ${user(a)}) then return; end if;
     delete from auth.users where id = ${user(a)};
     update auth.users set email = x, raw_user_meta_data = raw_user_meta_data || ${stamp(turn)} where id = ${user(b)}; end $$`,
  putProfile: ({ a, b, n }) =>
    `insert into public.profiles (id, full_name, city) select id, 'Profile ${n}', 'City ${b % 10}' from auth.users where id = ${user(a)}
     on conflict (id) do update set full_name = excluded.full_name, city = excluded.city`,
  addCustomer: ({ a, b, n }) =>
    `insert into public.customers (id, email, "fullName", plan, archived, created_at)
     values (${customer(a)}, ${address(b)}, 'Customer ${n}', 'plan${n % 3}', false, now()) on conflict do nothing`,
  editCustomer: ({ a, n }) => `update public.customers set plan = 'plan${n}' where id = ${customer(a)}`,
  dropCustomer: ({ a }) => `delete from public.customers where id = ${customer(a)}`,
  placeOrders: ({ a, n }, turn) =>
    `insert into public.orders (customer_id, rev, total) select id, ${turn * 1000} + i, ${n + 1} + i
       from public.customers, generate_series(0, ${n % 3}) i where id = ${customer(a)}`,
  openTicket: ({ a, b, n }, turn) =>
    `insert into public.tickets (team, nr, user_id, status, rev) select 'T${b % 2}', ${n}, id, 'Open', ${turn * 1000} from auth.users where id = ${user(a)}
     on conflict do nothing`,
  workTicket: ({ b, n }, turn) =>
    `update public.tickets set status = 'S${turn}', rev = ${turn * 1000} where team = 'T${b % 2}' and nr = ${n}`,
  workTickets: ({ b }, turn) =>
    `update public.tickets set status = 'All ${turn}', rev = ${turn * 1000} + nr where team = 'T${b % 2}'`,
  pay: ({ a, n }) =>
    `insert into public.payments (user_id, amount, status, paid_at) select id, ${n}.25, 'paid', now() from auth.users where id = ${user(a)}`,
} satisfies Record<string, (choice: Choice, turn: number) => string>;

/** What the app does, in one transaction each. */
export type AppKind = keyof typeof ACTS;

/** Each as often as it shall happen among the others. */
export const APP_KINDS: readonly AppKind[] = [
  ...(['signUp', 'signUp', 'signUp', 'signUp', 'signUpMany', 'edit', 'edit', 'edit', 'editMany', 'editAgain'] as const),
  ...([
    'move',
    'move',
    'move',
    'swap',
    'ban',
    'remove',
    'replace',
    'putProfile',
    'addCustomer',
    'addCustomer',
  ] as const),
  ...([
    'editCustomer',
    'dropCustomer',
    'placeOrders',
    'placeOrders',
    'openTicket',
    'workTicket',
    'workTickets',
    'pay',
  ] as const),
];

/** Those of people who move from address to address, and take them from one another. */
export const MOVE_KINDS: readonly AppKind[] = [
  ...(['signUp', 'signUp', 'signUp', 'signUp', 'signUp', 'move', 'move', 'move', 'move', 'move', 'swap'] as const),
  ...(['replace', 'succeed', 'succeed', 'succeed', 'remove', 'remove', 'remove'] as const),
  ...(['edit', 'edit', 'edit', 'edit', 'addCustomer', 'dropCustomer'] as const),
];

/** The statement of an act; the numbers in it are those of its turn alone. */
export function appStatement(kind: AppKind, choice: Choice, turn: number): string {
  return ACTS[kind](choice, turn);
}
