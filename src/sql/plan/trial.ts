import type { Config } from '../../config/types.ts';
import { KNOWN_BY_ADDRESS, plannedMapping } from '../generated.ts';
import { commonScript } from '../install-script.ts';
import { dollarQuote, quoteTexts } from '../quote.ts';
import type { Sources } from '../source.ts';
import { planFunctions } from './functions.ts';
import { sampleFunctions } from './sample.ts';

/** What a plan takes for granted. */
export interface Assumed {
  /** A part of the schema `rollcall` is there. */
  readonly installed: boolean;
  /** Destinations whose account is another one: nothing that was delivered holds there. */
  readonly forgotten: readonly string[];
  /** Destinations at which whoever was refused is tried again, beside those whose config is another one. */
  readonly mended: readonly string[];
}

/** Kept rows that a plan looks up, one by one: as views, as nothing of them is changed. */
const LOOKED_UP = ['desired', 'due', 'dead_letters', 'consent', 'answers', 'tombstones', 'erasing'];
/** Those of them that a fold writes to: it gets tables of its own. */
const FOLDED = ['desired', 'due', 'dead_letters'];

/**
 * An install of its own beside the one that is there, for a transaction that is rolled back: the schema `rollcall` is another one in
 * this transaction alone, and \`rollcall_kept\` is what everybody else sees as `rollcall`. So every function runs as it is, whatever
 * version is installed, writes to tables that nobody else knows, and no row and no table that is in use is locked.
 */
export function trialScript(config: Config, sources: Sources, { installed, forgotten, mended }: Assumed): string {
  return [
    ...(installed ? ['alter schema rollcall rename to rollcall_kept;'] : []),
    commonScript(),
    ...(installed ? [copied('install', true), copied('destinations', false)] : []),
    plannedMapping(config, sources, installed),
    contacts(installed),
    planFunctions,
    sampleFunctions,
    `insert into rollcall.plan_again
  select d.id, d.name = any(${quoteTexts(forgotten)}), true from rollcall.destinations d where d.name = any(${quoteTexts([...forgotten, ...mended])});`,
    ...(installed ? [changedConfigs(config), kept(forgotten.length > 0)] : []),
    'set local jit = off;',
  ].join('\n');
}

/**
 * Whoever is kept has the number they have; whoever is new gets one behind them, which a contact that is made meanwhile may get too: so
 * none of those is seen. None of it is to be kept, and so it is not in the write-ahead log.
 */
function contacts(installed: boolean): string {
  const own = `alter table rollcall.contacts rename to own_contacts;
alter table rollcall.own_contacts set unlogged;`;
  if (!installed) return `${own}\ncreate view rollcall.contacts as select c.id, c.key from rollcall.own_contacts c;`;
  return `${own}
do ${dollarQuote(`declare
  v_last bigint := (select coalesce(max(k.id), 0) from rollcall_kept.contacts k);
begin
  perform set_config('rollcall.plan_last', v_last::text, true);
  perform setval(pg_get_serial_sequence('rollcall.own_contacts', 'id'), v_last + 1, false);
  execute format('create view rollcall.contacts as
    select k.id, k.key from rollcall_kept.contacts k where k.id <= %s union all select c.id, c.key from rollcall.own_contacts c', v_last);
end`)};
update rollcall.install set by_address = by_address or ${KNOWN_BY_ADDRESS};`;
}

/** From here on a fold may write: what it reads and writes is in tables of this transaction. */
export function foldTables(installed: boolean): string {
  if (!installed) return 'create view rollcall.kept_desired as select * from rollcall.desired where false;';
  return FOLDED.map(
    (table) =>
      `alter view rollcall.${table} rename to kept_${table}; alter table rollcall.own_${table} rename to ${table};`,
  ).join('\n');
}

/** The rows of a small table, by the columns that both versions of it have. */
function copied(table: string, only: boolean): string {
  return `do ${dollarQuote(`declare
  v_columns text;
begin
  select string_agg(quote_ident(o.attname), ', ') into v_columns
    from pg_catalog.pg_attribute o
    join pg_catalog.pg_attribute k on k.attname = o.attname and k.attnum > 0 and not k.attisdropped
     and k.attrelid = 'rollcall_kept.${table}'::regclass
   where o.attrelid = 'rollcall.${table}'::regclass and o.attnum > 0 and not o.attisdropped and o.attgenerated = '';
  ${only ? `delete from rollcall.${table};` : ''}
  execute format('insert into rollcall.${table} (%1$s) overriding system value select %1$s from rollcall_kept.${table}', v_columns);
  ${only ? '' : `perform setval(pg_get_serial_sequence('rollcall.${table}', 'id'), (select coalesce(max(id), 0) + 1 from rollcall.${table}), false);`}
end`)};`;
}

/** Where another config makes what is sent, whoever was refused is tried again. */
function changedConfigs({ destinations, destinationHashes, hash }: Config): string {
  const names = quoteTexts(destinations.map(({ name }) => name));
  const hashes = quoteTexts(destinations.map(({ name }) => destinationHashes[name] ?? hash));
  return `insert into rollcall.plan_again
  select d.id, false, true from rollcall_kept.destinations k join rollcall.destinations d on d.name = k.name
    join unnest(${names}, ${hashes}) as c(name, hash) on c.name = d.name
   where to_jsonb(k) ->> 'config_hash' is distinct from c.hash
  on conflict do nothing;`;
}

/** Where another account is meant, nothing of what was delivered holds, and nothing of it is due. */
const FORGOTTEN = `        when 'due' then ' where not exists (select from rollcall.plan_again f where f.destination_id = k.destination_id and f.forgotten)'
`;

/**
 * Kept state as views under its own names. A column that an older install lacks has its default. With the join nothing can be written
 * through a view, and the planner takes it away.
 * @param forgotten whether some destination is; else nobody is looked up there
 */
function kept(forgotten: boolean): string {
  return `do ${dollarQuote(`declare
  v_table text;
  v_columns text;
  v_last bigint := current_setting('rollcall.plan_last');
begin
  foreach v_table in array ${quoteTexts(LOOKED_UP)} loop
    if to_regclass('rollcall_kept.' || v_table) is null then continue; end if;
    select string_agg(case
             when ${forgotten} and v_table = 'desired' and o.attname = any(array['remote_address', 'remote_id', 'leftovers', 'carry_from', 'delivered_version'])
               then format('case when f.destination_id is null then k.%1$I end as %1$I', o.attname)
             when ${forgotten} and v_table = 'desired' and o.attname in ('takeover', 'imported')
               then case when k.attname is null then 'false' else format('k.%I and f.destination_id is null', o.attname) end || format(' as %I', o.attname)
             when ${forgotten} and v_table = 'desired' and o.attname = 'action'
               then $$case when f.destination_id is not null and k.action in ('delete', 'unsubscribe') then 'none' else k.action end as action$$
             when k.attname is not null then format('k.%I', o.attname)
             else format('%s::%s as %I', coalesce(pg_get_expr(x.adbin, x.adrelid), 'null'), format_type(o.atttypid, o.atttypmod), o.attname)
           end, ', ' order by o.attnum) into v_columns
      from pg_catalog.pg_attribute o
      left join pg_catalog.pg_attrdef x on x.adrelid = o.attrelid and x.adnum = o.attnum
      left join pg_catalog.pg_attribute k on k.attname = o.attname and k.attnum > 0 and not k.attisdropped
       and k.attrelid = to_regclass('rollcall_kept.' || v_table)
     where o.attrelid = to_regclass('rollcall.' || v_table) and o.attnum > 0 and not o.attisdropped;
    execute format('alter table rollcall.%I rename to %I', v_table, 'own_' || v_table);
    execute format('create view rollcall.%1$I as select %2$s from rollcall_kept.%1$I k cross join (values (true)) as nobody_writes(here)%3$s',
      v_table, v_columns, case v_table
        when 'desired' then format('${forgotten ? ' left join rollcall.plan_again f on f.destination_id = k.destination_id and f.forgotten' : ''} where k.contact_id <= %s', v_last)
${forgotten ? FORGOTTEN : ''}        when 'dead_letters' then $$ where not (k.stage = 'deliver' and to_jsonb(k) ->> 'dropped_at' is null
          and exists (select from rollcall.plan_again f where f.destination_id = k.destination_id))$$
        -- Of another column every answer is a first one.
        when 'answers' then ' where (select to_jsonb(i) ->> ''consent_source'' from rollcall_kept.install i)
          is not distinct from (select i.consent_source from rollcall.install i)'
        when 'consent' then ' union all select * from rollcall.plan_facts'
        else '' end);
  end loop;
end`)};`;
}
