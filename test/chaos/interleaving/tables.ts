/** The app under test: tables that lead to a contact in every way, as its own migrations would make them. */
export const APP_TABLES = /* sql */ `
create table public.profiles (
  id uuid primary key references auth.users (id) on delete cascade on update cascade,
  full_name text, city text
);
create table public.customers (
  id text primary key, email text,
  user_id uuid references auth.users (id) on delete set null on update cascade,
  "fullName" text, plan text, address jsonb, archived boolean, created_at timestamptz not null
);
create table public.orders (
  id bigint generated always as identity primary key,
  customer_id text references public.customers (id) on delete cascade on update cascade,
  rev bigint not null, total numeric not null, "placedAt" timestamptz not null default clock_timestamp()
);
create table public.tickets (
  team text, nr int, primary key (team, nr),
  user_id uuid references auth.users (id) on delete cascade on update cascade,
  status text not null, rev bigint not null
);
create table public.payments (
  id bigint generated always as identity primary key,
  user_id uuid references auth.users (id) on delete set null on update cascade,
  customer_email text, amount numeric(12, 2) not null, status text not null, paid_at timestamptz not null
);
alter table public.customers enable row level security;
create policy everyone on public.customers using (true) with check (true);
grant usage on schema public to supabase_auth_admin;
grant all on all tables in schema public to hosted, supabase_auth_admin;
grant usage on all sequences in schema public to supabase_auth_admin;
`;

/** The fields these tables fill, with their types at the sandbox. */
export const FIELDS = {
  FIRSTNAME: 'text',
  CITY: 'text',
  PLAN: 'text',
  TIER: 'text',
  PAYMENTS: 'integer',
  LTV: 'float',
  PAID_ON: 'date',
  BASKET: 'float',
} as const;

/** What becomes of the contact of a person who left. */
export type Policy = 'delete' | 'unsubscribe' | 'keep';

/** How a run is configured. */
export interface Setup {
  readonly policy: Policy;
  readonly wake: 'notify' | 'poll';
  /** So many that wait go in one import; 0 for none. */
  readonly together: number;
}

/** `when_null: clear` everywhere, so that what a contact holds follows from the rows that are there now. */
export function appYaml(setup: Setup, databaseUrl: string, sandbox: { token: string; apiUrl: string }): string {
  return `database_url: ${JSON.stringify(databaseUrl)}
environment: test
${connectorYaml('PAID_ON: { sql: "max(payments.paid_at)", from: payments, contact: { email: customer_email }, when_null: clear }')}
destinations:
  mailtrap:
    api_token: ${sandbox.token}
    base_url: ${sandbox.apiUrl}
    limits_scale: 10000
    on_delete: ${setup.policy}
    import_from: ${setup.together === 0 ? "'off'" : setup.together}
consent: { everyone: "they agreed to the terms" }
delivery: { grace: 300ms }
brakes: off
wake: ${setup.wake}
`;
}

/**
 * YAML of `connectors`: what of the app's tables makes contacts and events.
 * @param attribute more attributes of users, a line each
 */
export function connectorYaml(attribute: string): string {
  return `connectors:
  supabase:
    sync: { users: true }
    user_mapping:
      email: email
      user_metadata.full_name: { to: FIRSTNAME, when_null: clear }
      where: "coalesce(user_metadata ->> 'role', '') <> 'test'"
      attributes:
        PAYMENTS: { sql: "count(*)", from: payments, where: "status = 'paid'" }
        LTV: { sql: "sum(amount)", from: payments, where: "status = 'paid'", when_null: clear }
        ${attribute}
    table_mapping:
      profiles:
        contact: { user_id: id }
        full_name: { to: FIRSTNAME, when_null: clear }
        city: { to: CITY, when_null: clear }
      customers:
        email: email
        fullName: { to: FIRSTNAME, when_null: clear }
        plan: { to: PLAN, when_null: clear }
        "address.city": { to: CITY, when_null: clear }
        where: "archived is not true"
        attributes:
          TIER: { sql: "upper(plan)", when_null: clear }
          BASKET: { sql: "sum(total)", from: orders, where: "total > 0", when_null: clear }
      orders:
        sync_as: events
        event_name: order_placed
        when: "total > 0"
        properties: { rev: rev, total: amount, placedAt: placed_at, customer_id: customer }
      tickets:
        sync_as: events
        event_name: ticket_changed
        operations: [update, delete]
        when: "old.status is distinct from status"
        properties: { team: team, nr: nr, status: { to: state, transform: lower }, rev: rev }
    events:
      user.signed_up: { event_name: signed_up, properties: { user_metadata.rev: rev, user_metadata.full_name: name } }`;
}
