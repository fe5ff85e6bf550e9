import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { parseConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/types.ts';
import { registry } from '../../../src/destinations/registry.ts';
import type { Sandbox } from '../../../src/sandbox/types.ts';
import type { TestDatabase } from '../../support/database.ts';

/** What happens in the app before a plan is made. People and addresses are few, so that they meet. */
export type Happening =
  | { readonly kind: 'sign up'; readonly who: number; readonly name: string; readonly yes: boolean }
  | { readonly kind: 'rename'; readonly who: number; readonly name: string }
  | { readonly kind: 'move'; readonly who: number; readonly to: number }
  | { readonly kind: 'swap'; readonly who: number; readonly to: number }
  | { readonly kind: 'leave'; readonly who: number }
  | { readonly kind: 'ban'; readonly who: number }
  | { readonly kind: 'answer'; readonly who: number; readonly yes: boolean }
  | { readonly kind: 'lead'; readonly who: number; readonly plan: string }
  | { readonly kind: 'no lead'; readonly who: number }
  | { readonly kind: 'profile'; readonly who: number; readonly plan: string }
  | { readonly kind: 'opt out' | 'opt in'; readonly who: number }
  | { readonly kind: 'erased before'; readonly who: number };

/** The small family of configs. */
export interface Shape {
  readonly names: boolean;
  readonly length: boolean;
  readonly where: boolean;
  readonly unconfirmed: boolean;
  readonly leads: boolean;
  readonly profiles: boolean;
  readonly consent: 'everyone' | 'nobody' | 'column';
  readonly onDelete: 'delete' | 'unsubscribe' | 'keep';
  readonly adjusted: 'no' | 'filtered' | 'renamed';
  readonly second: boolean;
}

export interface WorldStep {
  readonly happenings: readonly Happening[];
  readonly shape: Shape;
}

const who = fc.nat(11);
const name = fc.constantFrom('Ann', 'Bob', 'Cleo', 'Dan');
const plan = fc.constantFrom('free', 'pro');

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('sign up' as const), who, name, yes: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rename' as const), who, name }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('move' as const), who, to: fc.nat(23) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('swap' as const), who, to: who }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('leave' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('ban' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('answer' as const), who, yes: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('lead' as const), who: fc.nat(17), plan }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('no lead' as const), who: fc.nat(17) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('profile' as const), who, plan }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('opt out' as const, 'opt in' as const), who }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('erased before' as const), who: fc.integer({ min: 24, max: 30 }) }),
  },
);

const shape: fc.Arbitrary<Shape> = fc.record({
  names: fc.boolean(),
  length: fc.boolean(),
  where: fc.boolean(),
  unconfirmed: fc.boolean(),
  leads: fc.boolean(),
  profiles: fc.boolean(),
  consent: fc.constantFrom('everyone', 'nobody', 'column'),
  onDelete: fc.constantFrom('delete', 'unsubscribe', 'keep'),
  adjusted: fc.constantFrom('no', 'no', 'filtered', 'renamed'),
  second: fc.boolean(),
});

/** What one install sees, from the first one on. */
export const history: fc.Arbitrary<readonly WorldStep[]> = fc.array(
  fc.record({ happenings: fc.array(happening, { minLength: 8, maxLength: 24 }), shape }),
  { minLength: 5, maxLength: 5 },
);

export const TABLES = `
  create table public.leads (id int primary key, email text not null, plan text, created_at timestamptz not null default now());
  create table public.profiles (user_id uuid primary key, plan text);
  grant all on all tables in schema public to hosted;`;

const addressOf = (n: number): string => `p${n}@x.test`;
/** Users keep their number, whatever address they have. */
const idOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** Lets it happen; what cannot be (a second user at an address) does not. */
export async function happens({ app }: TestDatabase, each: Happening, key: string): Promise<void> {
  const id = idOf(each.who);
  const free = (to: number): readonly [string, readonly unknown[]] => [
    `update auth.users set email = $2::text where id = $1::uuid and not exists (select from auth.users u where u.email = $2::text)`,
    [id, addressOf(to)],
  ];
  switch (each.kind) {
    case 'sign up':
      await app.query(
        `insert into auth.users (id, email, raw_user_meta_data, email_confirmed_at, created_at)
         select $1::uuid, $2::text, $3::jsonb, case when $4::boolean then now() end, now() where not exists (select from auth.users u where u.email = $2::text) on conflict do nothing`,
        [id, addressOf(each.who), JSON.stringify({ full_name: each.name, yes: each.yes }), each.name !== 'Dan'],
      );
      break;
    case 'rename':
      await app.query(
        `update auth.users set raw_user_meta_data = raw_user_meta_data || jsonb_build_object('full_name', $2::text) where id = $1`,
        [id, each.name],
      );
      break;
    case 'move': {
      const [text, values] = free(each.to);
      await app.query(text, [...values]);
      break;
    }
    case 'swap':
      await app.query(
        `update auth.users set email = 'between@x.test' where id = $1 and not exists (select from auth.users u where u.email = 'between@x.test')`,
        [id],
      );
      await app.query(
        `update auth.users set email = $2::text where id = $1::uuid and not exists (select from auth.users u where u.email = $2::text)`,
        [idOf(each.to), addressOf(each.who)],
      );
      await app.query(
        `update auth.users set email = $2::text where id = $1::uuid and email = 'between@x.test' and not exists (select from auth.users u where u.email = $2::text)`,
        [id, addressOf(each.to)],
      );
      break;
    case 'leave':
      await app.query('delete from auth.users where id = $1', [id]);
      break;
    case 'ban':
      await app.query(`update auth.users set banned_until = now() + interval '1 day' where id = $1`, [id]);
      break;
    case 'answer':
      await app.query(
        `update auth.users set raw_user_meta_data = raw_user_meta_data || jsonb_build_object('yes', $2::boolean) where id = $1`,
        [id, each.yes],
      );
      break;
    case 'lead':
      await app.query(
        'insert into public.leads (id, email, plan) values ($1, $2, $3) on conflict (id) do update set plan = excluded.plan',
        [each.who, addressOf(each.who + 6), each.plan],
      );
      break;
    case 'no lead':
      await app.query('delete from public.leads where id = $1', [each.who]);
      break;
    case 'profile':
      await app.query(
        'insert into public.profiles values ($1, $2) on conflict (user_id) do update set plan = excluded.plan',
        [id, each.plan],
      );
      break;
    case 'opt out':
    case 'opt in':
      if (!(await isInstalled({ app }))) break;
      await app.query(
        `insert into rollcall.consent (id, kind, address, origin, at) values ($1, $2, $3, 'operator', clock_timestamp())`,
        [randomUUID(), each.kind === 'opt out' ? 'opt_out' : 'opt_in', addressOf(each.who)],
      );
      await app.query(
        `select rollcall.capture(array_agg(c.key)) from rollcall.contacts c join rollcall.desired s on s.contact_id = c.id where s.address = $1 having count(*) > 0`,
        [addressOf(each.who)],
      );
      break;
    case 'erased before':
      if (!(await isInstalled({ app }))) break;
      // A tombstone of an address of a table, which has no contact yet.
      await app.query('begin');
      await app.query(`select set_config('rollcall.erasure_key', $1, true)`, [key]);
      await app.query(
        `insert into rollcall.tombstones (hash) select h from unnest(rollcall.keyed_hashes(array[$1])) h on conflict do nothing`,
        [`email:${addressOf(each.who)}`],
      );
      await app.query('commit');
      await app.query(`insert into public.leads (id, email) values ($1, $2) on conflict do nothing`, [
        100 + each.who,
        addressOf(each.who),
      ]);
      break;
  }
}

async function isInstalled({ app }: Pick<TestDatabase, 'app'>): Promise<boolean> {
  const { rows } = await app.query<{ there: boolean }>(
    `select to_regclass('rollcall.tombstones') is not null as there`,
  );
  return rows[0]?.there === true;
}

export const ERASURE_KEY: string = 'an-erasure-key-of-at-least-32-characters';

export function configOf(shape: Shape, db: TestDatabase, sandbox: Sandbox): Config {
  const { names, length, where, unconfirmed, leads, profiles, consent, onDelete, adjusted, second } = shape;
  const attributes = [
    ...(length ? ['LENGTH: { sql: "length(email)" }'] : []),
    ...(names ? ['SOURCE: { const: app }'] : []),
  ];
  const change = {
    no: [],
    filtered: [`where: "email not like 'p1%'"`],
    renamed: ['attributes: { rename: { SOURCE: ORIGIN } }'],
  }[adjusted];
  const entry = (id: string, more: readonly string[]): readonly string[] => [
    `  ${id}:`,
    ...[
      `${id === 'brevo' ? 'api_key' : 'api_token'}: ${sandbox.of(id).token}`,
      `base_url: ${sandbox.of(id).url}`,
      'limits_scale: 10000',
      `on_delete: ${onDelete}`,
      ...more,
    ].map((line) => `    ${line}`),
  ];
  const tables = [
    ...(leads ? ['      leads: { sync_as: contacts, contact: { email: email }, email: email, plan: PLAN }'] : []),
    ...(profiles ? ['      profiles: { contact: { user_id: user_id }, plan: TIER }'] : []),
  ];
  const yaml = [
    `database_url: ${JSON.stringify(db.hostedUrl)}`,
    'environment: test',
    'connectors:',
    '  supabase:',
    '    user_mapping:',
    `      unconfirmed: ${unconfirmed}`,
    '      email: email',
    ...(names ? ['      user_metadata.full_name: FIRSTNAME'] : []),
    ...(attributes.length === 0 ? [] : [`      attributes: { ${attributes.join(', ')} }`]),
    ...(where ? [`      where: "user_metadata ->> 'full_name' <> 'Bob'"`] : []),
    ...(tables.length === 0 ? [] : ['    table_mapping:', ...tables]),
    'destinations:',
    ...entry('mailtrap', adjusted === 'renamed' && !names ? [] : change),
    ...(second ? entry('brevo', []) : []),
    `consent: ${consent === 'everyone' ? '{ everyone: they agreed }' : consent === 'nobody' ? 'nobody' : '{ column: user_metadata.yes }'}`,
    'delivery: { grace: 300ms }',
    'brakes: off',
    `erasure: { key: ${ERASURE_KEY} }`,
  ].join('\n');
  return parseConfig(yaml, { file: 'rollcall.yaml', env: {}, registry });
}
