import { EMAIL_KEY } from './compile/link.ts';
import type { Brake, Config, DestinationConfig } from '../config/types.ts';
import { payloadNames, adjustedPlan, type CompiledAdjustment } from './compile/adjustment.ts';
import { ADJUSTMENT_PREFIX, adjustments, adjustmentScript, type NamedAdjustment } from './compile/adjustment-script.ts';
import { attributePlan } from './compile/attribute-plan.ts';
import { capturePlans, triggerTables } from './compile/capture-plan.ts';
import { captureScript } from './compile/capture-trigger.ts';
import { eventMapFunction } from './compile/events.ts';
import { pageFunction } from './compile/pages.ts';
import { parts } from './compile/parts.ts';
import { partRow, registryScript } from './compile/registry.ts';
import { resolvers } from './compile/resolvers.ts';
import { walPlans } from './compile/wal-plan.ts';
import { writeBackFunction } from './compile/write-back.ts';
import { answerSource } from './compile/answer.ts';
import { consentScript } from './compile/consent.ts';
import {
  fingerprintFunction,
  mapFunction,
  plannedFunction,
  type UserFunction,
  userAddresses,
  userPage,
} from './compile/users.ts';
import { listKey } from '../core/segments.ts';
import { dollarQuote, quoteLiteral, quoteTexts } from './quote.ts';
import type { EventSource, RowLink, Sources } from './source.ts';

/**
 * Everything that follows from the config: functions, triggers, and the tables that say what there is.
 * @param captured false without the triggers: the app's tables are left alone
 */
export function generated(config: Config, sources: Sources, captured = true): string {
  const on = isOn(config);
  const plans = on ? capturePlans(config, sources) : [];
  const { pages, made } = pagedParts(config, sources);
  const found = resolvers(sources);
  const wal = walPlans(plans, sources);
  const adjusted = adjustments(config, sources);
  const maps = eventMaps(sources);
  const written = sources.writeBacks.map((target, n) => ({ name: `write_back_${n + 1}`, target }));
  const names = [
    ...written.map((w) => w.name),
    ...made.map((p) => p.name),
    ...found.map((r) => r.name),
    ...maps.map((m) => m.name),
    ...made.flatMap((p) => p.page ?? []),
    ...[...adjusted.values()].map((a) => a.name),
    ...wal.functions.map((f) => f.name),
  ];
  return [
    dropped(names),
    userAddresses(config.userMapping, sources.users),
    ...made.map((part) => part.sql),
    ...pages.flatMap((page) => page ?? []),
    ...found.map((resolver) => resolver.sql),
    ...wal.functions.map((made) => made.sql),
    ...maps.map(({ name, source }) => eventMapFunction(name, source)),
    ...written.map(({ name, target }) => writeBackFunction(name, target, config.consent)),
    registryScript(config, sources, {
      parts: made,
      resolvers: found,
      eventMaps: new Map(maps.map(({ name, source }) => [source.table.name, name])),
      eventColumns: new Map(plans.map((plan) => [plan.table.name, plan.events?.columns ?? []])),
      triggers: triggerTables(plans),
      wal: wal.plans,
    }),
    ...destinations(config, sources, { adjusted, on }),
    // Planned once now, so that what cannot run is told here and not by the first fold.
    ...made.map((part) => planned(part.name)),
    ...(captured
      ? [captureScript(plans, config.capture), `select rollcall.wal_settings(${quoteLiteral(config.capture)});`]
      : []),
    ...installed(config, sources),
    consentScript(
      config,
      written.map((w) => w.name),
    ),
  ].join('\n');
}

/**
 * What of it says what contacts shall be, to be tried in a transaction that is rolled back. It locks nothing that the app uses,
 * and no row that a worker writes.
 */
export function mappingScript(config: Config, sources: Sources): string {
  const { userMapping: mapping, consent, users } = config;
  const made = parts(sources.contacts, sources.aggregates, consent);
  return [
    userAddresses(mapping, sources.users),
    ...made.map((part) => part.sql),
    ...config.destinations.map(({ name }) =>
      mapFunction(mapFunctionName(name), { mapping, consent, users, source: sources.users }),
    ),
    `delete from rollcall.parts;`,
    ...made.map((part) => partRow({ ...part, page: undefined })),
    ...adjustmentScript(adjustments(config, sources)),
    `update rollcall.sources set pause_code = null where pause_code is not null;`,
  ].join('\n');
}

/**
 * The same for a preview, with the events and the destinations that are not applied yet; for an install that has all migrations.
 * Whoever applies meanwhile waits.
 */
export function previewScript(config: Config, sources: Sources): string {
  const source = answerSource(config.consent);
  return [
    ...config.destinations.map(
      ({ name, type }) => `insert into rollcall.destinations (name, type, map_function, plan, account)
  select ${quoteLiteral(name)}, ${quoteLiteral(type)}, ${quoteLiteral(mapFunctionName(name))}, '{}', ''
   where not exists (select from rollcall.destinations d where d.name = ${quoteLiteral(name)});`,
    ),
    mappingScript(config, sources),
    ...eventMaps(sources).map(({ name, source: of }) => eventMapFunction(name, of)),
    `update rollcall.install set by_address = ${byAddress(sources)}, consent_policy = ${quoteLiteral(config.consentPolicy)},
  consent_source = ${source === undefined ? 'null' : quoteLiteral(source)};`,
  ].join('\n');
}

/** Each source of events with the name of its function. */
export function eventMaps(sources: Sources): readonly { readonly name: string; readonly source: EventSource }[] {
  return sources.events.map((source, n) => ({ name: `map_events_${n + 1}`, source }));
}

/**
 * All that says what contacts shall be, for an install of its own that is rolled back (`rollcall plan`): as `generated`, but that it
 * reads and locks nothing of the app, and sends nobody again.
 * @param installed whether there may be anything to compare with
 */
export function plannedMapping(config: Config, sources: Sources, installed: boolean): string {
  const { userMapping: mapping, consent, users } = config;
  const { pages, made } = pagedParts(config, sources);
  const adjusted = adjustments(config, sources);
  const of: UserFunction = { mapping, consent, users, source: sources.users };
  return [
    userAddresses(mapping, sources.users),
    userPage(mapping, sources.users),
    ...made.map((part) => part.sql),
    ...pages.flatMap((page) => page ?? []),
    registryScript(config, sources, {
      parts: made,
      resolvers: [],
      eventMaps: new Map(),
      eventColumns: new Map(),
      triggers: new Map(),
      wal: new Map(),
    }),
    ...config.destinations.flatMap((destination) => [
      mapFunction(mapFunctionName(destination.name), of),
      destinationRow(destination, config, sources, { fingerprint: undefined, on: isOn(config) }),
    ]),
    ...config.destinations.map(({ name }, index) =>
      plannedFunction(plannedFunctionName(index), of, { adjustment: adjusted.get(name), hashed: installed }),
    ),
    ...adjustmentScript(adjusted),
    installSettings(config, sources),
    ...(['deletes', 'changes'] as const).map((kind) => brakeLimit(kind, 'off')),
    consentScript(config, []),
  ].join('\n');
}

/** What tables add to contacts, and the functions that page through those that make some. */
function pagedParts(
  config: Config,
  sources: Sources,
): { readonly pages: readonly (string | undefined)[]; readonly made: Parameters<typeof registryScript>[2]['parts'] } {
  const pages = sources.contacts.map((source, n) => pageFunction(`sweep_${n + 1}`, source));
  const made = parts(sources.contacts, sources.aggregates, config.consent).map((part, n) => ({
    ...part,
    page: part.makesContacts && pages[n] !== undefined ? `sweep_${n + 1}` : undefined,
  }));
  return { pages, made };
}

/** Whether anything is captured and sent. */
export function isOn(config: Config): boolean {
  return (
    config.enabled &&
    config.destinations.length > 0 &&
    (config.users || config.tables.length > 0 || config.eventTables.length > 0 || config.systemEvents.length > 0)
  );
}

function destinations(
  config: Config,
  sources: Sources,
  { adjusted, on }: { readonly adjusted: ReadonlyMap<string, NamedAdjustment>; readonly on: boolean },
): string[] {
  const lines = config.destinations.flatMap((destination) =>
    destinationScript(destination, config, sources, { adjustment: adjusted.get(destination.name), on }),
  );
  const kept = config.destinations.map((d) => quoteLiteral(d.name)).join(', ');
  return [
    ...lines,
    ...adjustmentScript(adjusted),
    `update rollcall.destinations set enabled = false where true${kept === '' ? '' : ` and name not in (${kept})`};`,
  ];
}

function destinationScript(
  destination: DestinationConfig,
  config: Config,
  sources: Sources,
  { adjustment, on }: { readonly adjustment: CompiledAdjustment | undefined; readonly on: boolean },
): string[] {
  const { name, account } = destination;
  const map = mapFunctionName(name);
  const { userMapping: mapping, consent, users } = config;
  const fingerprint = fingerprintFunctionName(name);
  const of: UserFunction = { mapping, consent, users, source: sources.users };
  return [
    mapFunction(map, of),
    planned(map),
    ...(fingerprint === undefined ? [] : [fingerprintFunction(fingerprint, of, adjustment)]),
    `select rollcall.send_again(id, true) from rollcall.destinations
  where name = ${quoteLiteral(name)} and account not in ('', ${quoteLiteral(account ?? '')}) and ${account !== undefined};`,
    destinationRow(destination, config, sources, { fingerprint, on }),
    ...triedAgain(name, config.destinationHashes[name] ?? config.hash),
  ];
}

/** What is known of a destination as its row, made or brought up to date. */
function destinationRow(
  { name, type, account, onDelete, topic, events, adjustment: said, segmentLists = [] }: DestinationConfig,
  config: Config,
  sources: Sources,
  { fingerprint, on }: { readonly fingerprint: string | undefined; readonly on: boolean },
): string {
  const plan = JSON.stringify(adjustedPlan(attributePlan(config, sources), said, config.file));
  const clock = payloadNames(sources.clockAttributes, said);
  // Without its secrets nobody knows which account it is: what is known of one stays.
  return `insert into rollcall.destinations as d (name, type, map_function, fingerprint_function, plan, account, on_delete, takes_events, events_once, enabled, clock_attributes, topic, lists)
  values (${quoteLiteral(name)}, ${quoteLiteral(type)}, ${quoteLiteral(mapFunctionName(name))}, ${fingerprint === undefined ? 'null' : quoteLiteral(fingerprint)}, ${quoteLiteral(plan)}, ${quoteLiteral(account ?? '')},
    ${quoteLiteral(onDelete)}, ${events !== 'none'}, ${events === 'unkeyed' && config.delivery.events === 'at_most_once'}, ${on}, ${clock.length === 0 ? 'null' : quoteTexts(clock)}, ${topic === undefined ? 'null' : quoteLiteral(topic)}, ${segmentLists.length === 0 ? 'null' : quoteTexts(segmentLists.map(listKey))})
  on conflict (name) do update set type = excluded.type, map_function = excluded.map_function,
    fingerprint_function = excluded.fingerprint_function, plan = excluded.plan,
    account = coalesce(nullif(excluded.account, ''), d.account), on_delete = excluded.on_delete, takes_events = excluded.takes_events,
    events_once = excluded.events_once, enabled = excluded.enabled, clock_attributes = excluded.clock_attributes, topic = excluded.topic, lists = excluded.lists;`;
}

/** Who failed is tried again when what is sent there is made by another config than before. */
function triedAgain(name: string, hash: string): string[] {
  const changed = `name = ${quoteLiteral(name)} and config_hash is distinct from ${quoteLiteral(hash)}`;
  return [
    `select rollcall.try_again(id) from rollcall.destinations where ${changed};`,
    `update rollcall.destinations set config_hash = ${quoteLiteral(hash)} where ${changed};`,
  ];
}

/**
 * The name of a destination's mapping function: its number among the config's destinations would move, its name does not. A
 * name too long for the prefix goes without: no function of ours is that long.
 */
export function mapFunctionName(destination: string): string {
  const name = `map_users_to_${destination}`;
  return name.length <= 63 ? name : destination;
}

/** The name of the function of a plan for a destination, by its place in the config. */
export function plannedFunctionName(index: number): string {
  return `planned_${index + 1}`;
}

/** The name of the function that spares a sweep most of its work; a destination with a very long name goes without. */
function fingerprintFunctionName(destination: string): string | undefined {
  const name = `fingerprints_for_${destination}`;
  return name.length <= 63 ? name : undefined;
}

/** Plans a generated mapping without a row, so that what cannot run fails the install with its own error. */
function planned(name: string): string {
  return `do ${dollarQuote(`declare
  v_state text;
begin
  perform rollcall.map_rows(${quoteLiteral(name)}, '{}', '{}');
exception when sqlstate 'RC003' then
  get stacked diagnostics v_state = pg_exception_detail;
  raise exception '%', sqlerrm using errcode = v_state;
end`)};`;
}

/** Functions of an earlier config that no longer are. */
function dropped(names: readonly string[]): string {
  const kept = names.map(quoteLiteral).join(', ');
  return `do ${dollarQuote(`declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid::regprocedure from pg_catalog.pg_proc p
     where p.pronamespace = 'rollcall'::regnamespace and p.proname ~ '^((part|aggregate|sweep|resolve|map_events|write_back|wal_keys)_[0-9]+$|${ADJUSTMENT_PREFIX})'
       ${kept === '' ? '' : `and p.proname not in (${kept})`}
  loop
    execute 'drop function ' || v_function;
  end loop;
end`)};`;
}

function installed(config: Config, sources: Sources): string[] {
  return [
    // Another config means that every contact is looked at again.
    `select rollcall.want_sweep(case when config_hash is null then 'installed' else 'config' end, null) from rollcall.install
  where config_hash is distinct from ${quoteLiteral(config.hash)};`,
    installSettings(config, sources),
    ...(['deletes', 'changes'] as const).map((kind) => brakeLimit(kind, config.brakes[kind])),
    // Somebody says that something was mended.
    `select rollcall.end_pauses(true);`,
  ];
}

function installSettings(config: Config, sources: Sources): string {
  const basis = config.consent?.kind === 'everyone' ? quoteLiteral(config.consent.basis) : 'null';
  const every = sources.reevaluateMs === undefined ? 'null' : `${sources.reevaluateMs} * interval '1 millisecond'`;
  return `update rollcall.install set config_hash = ${quoteLiteral(config.hash)}, consent_basis = ${basis},
  grace = ${config.delivery.graceMs} * interval '1 millisecond', by_address = ${byAddress(sources)} or ${KNOWN_BY_ADDRESS}, reevaluate = ${every}, erase_deleted = ${config.erasure.onUserDeleted};`;
}

function brakeLimit(kind: string, brake: Brake): string {
  const limit = brake === 'off' ? 'null, 1' : `${brake.share}, ${brake.least}`;
  return `select rollcall.set_brake(${quoteLiteral(kind)}, ${limit});`;
}

/** Whether anybody is: what the app tells of an address makes such contacts, whatever the tables are. */
export const KNOWN_BY_ADDRESS: string = `exists (select from rollcall.contacts c where c.key like '${EMAIL_KEY}%')`;

/** Whether rows of some table lead to contacts by an address. */
function byAddress(sources: Sources): boolean {
  const links: readonly RowLink[] = [...sources.contacts, ...sources.aggregates, ...sources.events].map((s) => s.link);
  return links.some((link) => (link.via?.link ?? link).email !== undefined);
}
