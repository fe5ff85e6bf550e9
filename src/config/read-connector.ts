import type { ContactTable, EventTable, SystemEvent, UserMapping } from '../core/mapping.ts';
import { asMap, checkKeys, type Misplaced, readChoice, readFlag, readText } from './fields.ts';
import type { Issues, Spot } from './issues.ts';
import { quote } from './quote.ts';
import type { ApiKeys } from './read-api.ts';
import { readSync } from './read-sync.ts';
import { readSystemEvents } from './read-system-events.ts';
import { readTables, warnOfUnmapped } from './read-tables.ts';
import { readUserMapping } from './read-user-mapping.ts';
import { indexTables, type TableIndex } from './table-index.ts';
import type { Entry, MapNode } from './tree.ts';
import type { Config } from './types.ts';

export const CONNECTOR_KEYS: readonly string[] = [
  'enabled',
  'project_url',
  'api_key',
  'state',
  'poll',
  'sync',
  'user_mapping',
  'table_mapping',
  'events',
  'debug',
  'log_level',
  'log_queries',
  'log_realtime',
];
export const LOG_LEVELS: readonly ('error' | 'warn' | 'info' | 'debug' | 'verbose')[] = [
  'error',
  'warn',
  'info',
  'debug',
  'verbose',
];

/** What stands under `connectors.supabase`, and `table_mapping` at the top level. */
interface Connector {
  readonly enabled: boolean;
  readonly projectUrl: string | undefined;
  readonly apiKey: string | undefined;
  readonly api: ApiKeys;
  readonly users: boolean;
  readonly userMapping: UserMapping;
  readonly tables: readonly ContactTable[];
  readonly eventTables: readonly EventTable[];
  readonly systemEvents: readonly SystemEvent[];
  /** All mapped tables, those too that are not synced. */
  readonly index: TableIndex;
  readonly realtime: Spot | undefined;
  readonly log: Config['log'];
}

/** Reads `connectors:`; everything has a default, so that any part of it may be left out. Mistakes go to `issues`. */
export function readConnector(root: MapNode, topKeys: readonly string[], issues: Issues): Connector {
  const connectors = asMap(root.entries.get('connectors')?.value, issues);
  if (connectors !== undefined) checkKeys(connectors, ['supabase'], issues);
  const entry = connectors?.entries.get('supabase');
  const map = asMap(entry?.value, issues);
  const field = (key: string): Entry | undefined => map?.entries.get(key);
  if (map !== undefined) {
    const ours = topKeys.filter((key) => !CONNECTOR_KEYS.includes(key));
    const misplaced: Misplaced = Object.fromEntries(ours.map((key) => [key, 'at the top level of the file']));
    checkKeys(map, CONNECTOR_KEYS, issues, misplaced);
  }
  const sync = readSync(field('sync')?.value, issues);
  const index = indexTables(
    [field('table_mapping'), root.entries.get('table_mapping')],
    sync.tables?.map((table) => table.name),
    issues,
  );
  // Where messages about the default mapping point: the place it would have.
  const spot: Spot = { at: entry?.at ?? root.at, path: ['connectors', 'supabase', 'user_mapping'] };
  const userMapping = readUserMapping(field('user_mapping')?.value, spot, { tables: index, synced: true }, issues);
  const tables = readTables(index, issues);
  warnOfUnmapped(sync.tables ?? [], index, userMapping, tables, issues);
  const projectUrl = readUrl(field('project_url'), issues);
  const apiKey = readText(field('api_key'), issues);
  return {
    enabled: readFlag(field('enabled'), true, issues),
    projectUrl,
    apiKey,
    api: { projectUrl, apiKey, state: field('state'), poll: field('poll'), realtime: sync.realtime !== undefined },
    users: sync.users,
    userMapping,
    tables: tables.contacts,
    eventTables: tables.events,
    systemEvents: readSystemEvents(field('events'), sync.storage, issues),
    index,
    realtime: sync.realtime,
    log: readLog(field, issues),
  };
}

function readLog(field: (key: string) => Entry | undefined, issues: Issues): Config['log'] {
  const debug = readFlag(field('debug'), false, issues);
  const level = readChoice(field('log_level'), LOG_LEVELS, issues);
  return {
    level: level === 'verbose' ? 'debug' : (level ?? (debug ? 'debug' : 'info')),
    queries: readFlag(field('log_queries'), false, issues),
    realtime: readFlag(field('log_realtime'), false, issues),
  };
}

function readUrl(entry: Entry | undefined, issues: Issues): string | undefined {
  const text = readText(entry, issues, 'a URL');
  if (text === undefined || entry === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const usable = url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  if (usable) return text.replace(/\/+$/, '');
  const hint = 'For example "https://xyzcompany.supabase.co".';
  issues.error('RC_CONFIG_VALUE', `${quote(entry.key)} must be the https:// address of the project`, entry.value, hint);
  return undefined;
}
