import type { Destination } from '../core/destination.ts';
import { applySegments } from './apply-segments.ts';
import { asMap, checkKeys, type Misplaced, readDuration, readText, wrongType } from './fields.ts';
import type { Unhashed } from './hash.ts';
import type { Env } from './interpolate.ts';
import type { Issues } from './issues.ts';
import { quote } from './quote.ts';
import { readAlerts } from './read-alerts.ts';
import { readBrakes } from './read-brakes.ts';
import { readCapture, readWal } from './read-capture.ts';
import { CONNECTOR_KEYS, readConnector } from './read-connector.ts';
import { CONSENT_CHOICES, readConsent } from './read-consent.ts';
import { checkApiKeys, readApi } from './read-api.ts';
import { readConsentPolicy, readConsentReaders } from './read-consent-use.ts';
import { readDelivery } from './read-delivery.ts';
import { attributeNames } from './read-adjustment.ts';
import { readErasure } from './read-erasure.ts';
import { readSegments } from './read-segments.ts';
import { readDestinations } from './read-destinations.ts';
import { readServer } from './read-server.ts';
import { readWriteBacks } from './read-write-back.ts';
import { type Entry, isNothing, type TreeNode } from './tree.ts';
import type { Config, DestinationConfig } from './types.ts';

export const TOP_KEYS: readonly string[] = [
  'connectors',
  'table_mapping',
  'database_url',
  'ssl_root_cert',
  'environment',
  'destinations',
  'segments',
  'consent',
  'consent_policy',
  'consent_readers',
  'write_back',
  'delivery',
  'sweep',
  'brakes',
  'allow_functions',
  'wake',
  'capture',
  'wal',
  'server',
  'alerts',
  'erasure',
];
const DEFAULT_ENVIRONMENT = 'production';
const DEFAULT_SWEEP_MS = 3_600_000;

interface RootOptions {
  readonly file: string;
  readonly env: Env;
  readonly registry: readonly Destination<unknown>[];
}

/** Reads the whole tree. Mistakes go to `issues`; the result is only of use when there are none. */
export function readRoot(tree: TreeNode, options: RootOptions, issues: Issues): Unhashed | undefined {
  if (tree.kind !== 'map') {
    const hint = 'Start with `connectors:`, or run `rollcall init` to write a file.';
    wrongType(tree, 'a map of keys', issues, hint);
    return undefined;
  }
  const underConnector = CONNECTOR_KEYS.filter((key) => !TOP_KEYS.includes(key));
  const misplaced: Misplaced = {
    ...Object.fromEntries(underConnector.map((key) => [key, 'under connectors.supabase'])),
    supabase: 'under connectors',
  };
  checkKeys(tree, TOP_KEYS, issues, misplaced);
  const field = (key: string): Entry | undefined => tree.entries.get(key);
  const connector = readConnector(tree, TOP_KEYS, issues);
  const names = issues.failed ? undefined : attributeNames(connector.userMapping, connector.tables);
  const destinations = readDestinations(field('destinations'), options.registry, names, issues);
  const segments = readSegments(
    field('segments'),
    { tables: connector.index, destinations, registry: options.registry },
    issues,
  );
  const woven = applySegments(
    { userMapping: connector.userMapping, tables: connector.tables, destinations },
    segments,
    (name) => saysMissing(field('destinations'), name),
  );
  const consentPolicy = readConsentPolicy(field('consent_policy'), issues);
  warnOfTopics(destinations, consentPolicy, issues);
  const consent = readConsent(field('consent'), connector.index, issues);
  checkConsentGiven(field('destinations'), field('consent'), issues);
  const databaseUrl = readDatabaseUrl(field('database_url'), options.env, issues);
  const api = readApi(connector.api, databaseUrl, issues);
  if (api !== undefined) checkApiKeys(api, tree, destinations, issues);
  if (api === undefined && connector.realtime !== undefined) {
    const message = 'realtime has no effect: triggers see every change without it';
    issues.warn('RC_WARN_REALTIME_NOT_USED', message, connector.realtime);
  }
  if (connector.eventTables.length + connector.systemEvents.length > 0) {
    warnOfNoEvents(destinations, issues);
  }
  return {
    file: options.file,
    environment: readEnvironment(field('environment'), issues),
    databaseUrl: api?.stateUrl ?? databaseUrl,
    api,
    sslRootCert: readText(field('ssl_root_cert'), issues, 'the path of a PEM file'),
    projectUrl: connector.projectUrl ?? (options.env['SUPABASE_URL'] || undefined),
    apiKey: connector.apiKey ?? firstOf(options.env, ['SUPABASE_SECRET_KEY', 'SUPABASE_SERVICE_ROLE_KEY']),
    enabled: connector.enabled,
    users: connector.users,
    userMapping: woven.userMapping,
    tables: woven.tables,
    eventTables: connector.eventTables,
    systemEvents: connector.systemEvents,
    consent,
    consentPolicy,
    consentReaders: readConsentReaders(field('consent_readers'), issues),
    writeBacks: readWriteBacks(field('write_back'), connector.index, issues),
    destinations: woven.destinations,
    segments,
    delivery: readDelivery(field('delivery'), issues),
    sweep: readSweep(field('sweep'), issues),
    brakes: readBrakes(field('brakes'), issues),
    log: connector.log,
    server: readServer(field('server'), options.env, issues),
    erasure: readErasure(field('erasure'), issues),
    alerts: readAlerts(field('alerts'), issues),
    wake: readWake(field('wake'), issues),
    capture: readCapture(field('capture'), issues),
    wal: readWal(field('wal'), field('capture'), issues),
    allowFunctions: readFunctions(field('allow_functions'), issues),
    warnings: issues.warnings(),
  };
}

/** Whether a destination's entry has a `create_missing`. */
function saysMissing(destinations: Entry | undefined, name: string): boolean {
  const map = destinations?.value.kind === 'map' ? destinations.value.entries.get(name)?.value : undefined;
  return map?.kind === 'map' && map.entries.has('create_missing');
}

/** The first of some variables that is set and not empty. */
function firstOf(env: Env, names: readonly string[]): string | undefined {
  return names.map((name) => env[name]).find((value) => value !== undefined && value !== '');
}

function checkConsentGiven(destinations: Entry | undefined, consent: Entry | undefined, issues: Issues): void {
  if (destinations?.value.kind !== 'map' || destinations.value.entries.size === 0) return;
  if (consent !== undefined && !isNothing(consent.value)) return;
  const message = 'consent is missing: it must say who may be mailed, and has no default';
  issues.error('RC_CONFIG_CONSENT_MISSING', message, consent ?? destinations, CONSENT_CHOICES);
}

function warnOfNoEvents(destinations: readonly DestinationConfig[], issues: Issues): void {
  for (const { name, events, line, column } of destinations) {
    if (events !== 'none') continue;
    const spot = { at: { line, column }, path: ['destinations', name] };
    issues.warn('RC_WARN_NO_EVENTS', `destination ${quote(name)} takes no events: none is sent to it`, spot);
  }
}

function warnOfTopics(
  destinations: readonly DestinationConfig[],
  policy: Config['consentPolicy'],
  issues: Issues,
): void {
  for (const { name, topic, line, column } of destinations) {
    if (topic === undefined || policy === 'per_topic') continue;
    const spot = { at: { line, column }, path: ['destinations', name] };
    issues.warn('RC_WARN_TOPIC', `the topic of ${quote(name)} has no effect without consent_policy: per_topic`, spot);
  }
}

function readSweep(entry: Entry | undefined, issues: Issues): Config['sweep'] {
  const map = asMap(entry?.value, issues, 'a map with the key every');
  if (map !== undefined) checkKeys(map, ['every'], issues);
  return { everyMs: readDuration(map?.entries.get('every'), DEFAULT_SWEEP_MS, issues) };
}

function readWake(entry: Entry | undefined, issues: Issues): Config['wake'] {
  const text = readText(entry, issues, 'notify or poll');
  if (text === undefined || entry === undefined || text === 'notify') return 'notify';
  if (text === 'poll') return 'poll';
  issues.error('RC_CONFIG_VALUE', 'wake is notify or poll', entry.value);
  return 'notify';
}

/** Functions of the project that `sql:` expressions may call: `schema.name` each. */
function readFunctions(entry: Entry | undefined, issues: Issues): readonly string[] {
  if (entry === undefined || isNothing(entry.value)) return [];
  if (entry.value.kind !== 'list') {
    wrongType(entry.value, 'a list of functions', issues, 'For example [public.tier_of].');
    return [];
  }
  return entry.value.items.flatMap((item) => {
    if (item.kind === 'scalar' && typeof item.value === 'string' && /^[^.\s()]+\.[^.\s()]+$/.test(item.value))
      return [item.value];
    issues.error(
      'RC_CONFIG_VALUE',
      'a function is named by its schema and its name',
      item,
      'For example public.tier_of, without parentheses.',
    );
    return [];
  });
}

function readEnvironment(entry: Entry | undefined, issues: Issues): string {
  const text = readText(entry, issues);
  if (text === undefined || entry === undefined) return DEFAULT_ENVIRONMENT;
  if (text.length <= 63 && !/\p{Cc}/u.test(text)) return text;
  issues.error('RC_CONFIG_VALUE', 'the environment has 1 to 63 characters on one line', entry.value);
  return DEFAULT_ENVIRONMENT;
}

/** The URL of the file, else of `DATABASE_URL`, else of `SUPABASE_DB_URL`. */
function readDatabaseUrl(entry: Entry | undefined, env: Env, issues: Issues): string | undefined {
  if (entry === undefined || isNothing(entry.value)) return env['DATABASE_URL'] || env['SUPABASE_DB_URL'] || undefined;
  const text = readText(entry, issues, 'a postgres:// URL');
  if (text === undefined || /^postgres(?:ql)?:\/\/./.test(text)) return text;
  const hint = 'For example "${DATABASE_URL}", with postgres://user:password@host:5432/postgres in it.';
  issues.error('RC_CONFIG_VALUE', 'database_url must be a postgres:// URL', entry.value, hint);
  return undefined;
}
