import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import { isJsonObject, type Json, type JsonObject, parseJson } from '../core/json.ts';
import type { AttributeMapping, RowOperation } from '../core/mapping.ts';
import { userColumn } from '../core/user-columns.ts';
import { isUsers } from './compile/event-columns.ts';
import { EMAIL_KEY } from './compile/link.ts';
import { operationsOf, type Previewed, previewed, previewQuery, previewValue } from './compile/preview-rows.ts';
import { SESSION } from './functions/mapping.ts';
import { eventMaps, generated, previewScript } from './generated.ts';
import { listed } from './inspect/context.ts';
import { inspectSources } from './inspect/sources.ts';
import { APPLY_LOCK, commonScript, MIGRATIONS } from './install-script.ts';
import { type Queryable, type Script, type Sql, sqlState } from './port.ts';
import type { Sources } from './source.ts';

/** What the config makes of one row. */
export interface PreviewedRow {
  /** The primary key as text; null for a row of a view. */
  readonly id: string | null;
  readonly row: JsonObject;
  /** Whether the condition of the mapping is true of it; null where there is none. */
  readonly holds: boolean | null;
  /** Whose it is: the id of a user, or `email:<address>`; null when it leads to nobody. */
  readonly key: string | null;
  /** One for each destination and person; nobody's rows have none. */
  readonly destinations: readonly PreviewedContact[];
  readonly events: readonly PreviewedEvent[];
  /** What may happen to it without being an event: its condition is not true, or of an update nothing has changed. */
  readonly without: readonly RowOperation[];
  /** Values that can't be mapped. */
  readonly problems: readonly PreviewProblem[];
}

/** What a person is at a destination. */
export interface PreviewedContact {
  readonly destination: string;
  readonly key: string;
  /** `ok`, or why they are no contact there. */
  readonly verdict: string;
  readonly address: string | null;
  readonly consent: string;
  /** What is sent; of one that can't be mapped `{code, message}`. */
  readonly attributes: JsonObject;
}

/** What something that happens to a row is. */
export interface PreviewedEvent {
  readonly operation: RowOperation;
  readonly name: string;
  /** `ok`; `unless_inserted` in the transaction that inserted the row it is none; `failed`. */
  readonly verdict: string;
  readonly properties: JsonObject;
  readonly message: string | null;
}

/** A value of a row that can't be mapped, with the entry of the config. */
export interface PreviewProblem {
  /** `file:line:column`. */
  readonly place: string;
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

export interface Preview {
  /** `schema.table`. */
  readonly table: string;
  /** False: what was compiled is gone again, and nothing of Rollcall is in the database. */
  readonly installed: boolean;
  readonly rows: readonly PreviewedRow[];
}

/** Which rows are meant. */
export interface PreviewScope {
  /** As it was asked for: `schema.table`, a table of `public`, or `users`. */
  readonly table: string;
  /** The primary key, as text; several columns as a JSON array. Undefined: the first rows. */
  readonly row: string | undefined;
  readonly limit: number;
}

/** Thrown on purpose: nothing of a preview stays. */
class Done extends Error {
  readonly preview: Preview;
  constructor(preview: Preview) {
    super('rolled back on purpose');
    this.preview = preview;
  }
}

/**
 * What a config makes of rows, whether or not it is applied: its SQL is compiled as the install does it, without a trigger, in one
 * transaction that is rolled back.
 * @throws RollcallError `RC_PREVIEW_TABLE`, `RC_PREVIEW_ROW`, `RC_PREVIEW_UPGRADE`; what `inspectSources` throws; the driver's error
 */
export async function preview(sql: Sql, config: Config, scope: PreviewScope): Promise<Preview> {
  try {
    return await sql.transaction(async (tx) => {
      throw new Done(await look(tx, config, scope));
    });
  } catch (error) {
    if (error instanceof Done) return error.preview;
    throw error;
  }
}

type Tx = Queryable & Script;

async function look(tx: Tx, config: Config, scope: PreviewScope): Promise<Preview> {
  const sources = await inspectSources(tx, config);
  const of = chosen(previewed(config, sources), scope.table);
  const installed = await setUp(tx, config, sources);
  const rows: PreviewedRow[] = [];
  for (const found of await readRows(tx, of, scope)) rows.push(await previewRow(tx, { config, sources, of }, found));
  return { table: of.name, installed, rows };
}

function chosen(all: readonly Previewed[], wanted: string): Previewed {
  const names = wanted === 'users' ? ['auth.users'] : [wanted, `public.${wanted}`];
  const found = all.find(({ name }) => names.includes(name));
  if (found !== undefined) return found;
  throw new RollcallError('RC_PREVIEW_TABLE', `The config reads no table ${JSON.stringify(wanted)}.`, {
    hint: `It reads ${listed(all.map(({ name }) => name))}. Map it under table_mapping first.`,
  });
}

/** Compiles the config. @returns whether something is installed */
async function setUp(tx: Tx, config: Config, sources: Sources): Promise<boolean> {
  const [there] = await tx.query<{ installed: boolean }>(
    `select to_regclass('rollcall.install') is not null as installed`,
  );
  const installed = there?.installed === true;
  if (installed) {
    const [last] = await tx.query<{ version: number }>('select max(version) as version from rollcall.migrations');
    if ((last?.version ?? 0) < Math.max(...MIGRATIONS.map((m) => m.version))) {
      throw new RollcallError(
        'RC_PREVIEW_UPGRADE',
        'What is installed is of an earlier version of Rollcall than this one.',
        {
          hint: 'Run `rollcall apply` first. What it would change is shown before it asks.',
        },
      );
    }
  }
  const own = installed
    ? [`set local search_path = '';`, `set local lock_timeout = '2s';`, APPLY_LOCK, previewScript(config, sources)]
    : [commonScript(), generated(config, sources, false)];
  await tx.script([...own, EVENTS].join('\n'));
  if (config.erasure.key !== undefined)
    await tx.query(`select set_config('rollcall.erasure_key', $1, true)`, [config.erasure.key]);
  return installed;
}

/** As the fold has it: a value must not depend on the session. */
const EVENTS = `create or replace function rollcall.preview_events(p_function name, p_events jsonb[]) returns rollcall.mapped_event[]
language sql set search_path = '' ${SESSION} as 'select rollcall.map_events(p_function, p_events, 1)';`;

interface FoundRow {
  readonly [column: string]: unknown;
  readonly id: string | null;
  readonly row: string;
  readonly key: string | null;
  readonly event: string | null;
}

async function readRows(tx: Tx, of: Previewed, { row, limit }: PreviewScope): Promise<readonly FoundRow[]> {
  if (row === undefined) return await tx.query<FoundRow>(previewQuery(of, false), [limit]);
  const unknown = (hint: string): RollcallError =>
    new RollcallError('RC_PREVIEW_ROW', `There is no such row of ${of.name}.`, { hint });
  const keys = of.table.primaryKey.map((c) => c.name);
  if (keys.length === 0) throw unknown('A view has no primary key: leave --row out, and its first rows are shown.');
  const how =
    keys.length === 1
      ? `--row takes a value of its primary key, ${keys.join('')}.`
      : `--row takes a JSON array of its primary key: ${keys.join(', ')}.`;
  const found = await attempt(tx, () => tx.query<FoundRow>(previewQuery(of, true), [1, row]));
  if ('code' in found || found.value.length === 0) throw unknown(how);
  return found.value;
}

interface On {
  readonly config: Config;
  readonly sources: Sources;
  readonly of: Previewed;
}

async function previewRow(tx: Tx, on: On, { id, row, key, event }: FoundRow): Promise<PreviewedRow> {
  const contacts = key === null ? [] : await contactsOf(tx, on.config, key);
  const failed = contacts.some(({ verdict }) => verdict === 'failed');
  const holds = on.of.where === undefined ? { value: null } : await valueOf(tx, on.of, undefined, id);
  const events = event === null ? [] : await eventsOf(tx, on, event);
  return {
    id,
    row: isUsers(on.of.table) ? asConfigured(objectOf(row)) : objectOf(row),
    holds: 'value' in holds && typeof holds.value === 'boolean' ? holds.value : null,
    key,
    destinations: contacts,
    events,
    without: operationsOf(on.of).filter((operation) => !events.some((one) => one.operation === operation)),
    problems: failed ? await problemsOf(tx, on, id) : [],
  };
}

/** A row of `auth.users` under the names of the config. */
function asConfigured(row: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [userColumn(name)?.name ?? name, value]));
}

/** What the person is at each destination of the config; with an address alone, the user who has it as well. */
async function contactsOf(tx: Tx, config: Config, key: string): Promise<readonly PreviewedContact[]> {
  const address = key.startsWith(EMAIL_KEY) ? key.slice(EMAIL_KEY.length) : null;
  const users =
    address === null
      ? []
      : await tx.query<{ id: string }>(
          'select u.id::text as id from auth.users u where u.email = $1 and u.is_sso_user = false',
          [address],
        );
  const keys = [key, ...users.map((user) => user.id)];
  await tx.query(
    'insert into rollcall.contacts (key) select k from unnest($1::text[]) k where not exists (select from rollcall.contacts c where c.key = k)',
    [keys],
  );
  const rows = await tx.query<
    Omit<PreviewedContact, 'attributes'> & { readonly attributes: string; readonly [column: string]: unknown }
  >(
    `select d.name as destination, w.key, w.verdict, w.address, case w.consent when 'missing' then 'none' else w.consent end as consent,
            w.payload::text as attributes
       from unnest($1::text[]) with ordinality as x(name, n) join rollcall.destinations d on d.name = x.name
      cross join lateral unnest(rollcall.wanted_rows(d.id, d.map_function, $2::text[])) w
      where w.verdict <> 'merged' order by x.n, w.contact_id`,
    [config.destinations.map(({ name }) => name), keys],
  );
  return rows.map(({ destination, key: whose, verdict, address: at, consent, attributes }) => ({
    destination,
    key: whose,
    verdict,
    address: at,
    consent,
    attributes: objectOf(attributes),
  }));
}

async function eventsOf(tx: Tx, { sources, of }: On, event: string): Promise<readonly PreviewedEvent[]> {
  const name = eventMaps(sources).find(({ source }) => source === of.events)?.name ?? '';
  const found: PreviewedEvent[] = [];
  for (const operation of operationsOf(of)) {
    // Of an update it is not known what was there before: as if nothing had changed.
    const rows = await tx.query<{ name: string; verdict: string; properties: string | null; message: string | null }>(
      `select m.name, m.verdict, m.properties::text as properties, m.message
         from unnest(rollcall.preview_events($1, array[$2::jsonb || jsonb_build_object('o', $3::text)
           || case when $3::text = 'update' then jsonb_build_object('p', $2::jsonb -> 'r') else '{}' end])) m order by m.type_no`,
      [name, event, operation],
    );
    found.push(...rows.map((row) => ({ ...row, operation, properties: objectOf(row.properties ?? '{}') })));
  }
  return found;
}

/** Tries each value by itself: the whole tells only that one of them fails. */
async function problemsOf(tx: Tx, { config, of }: On, id: string | null): Promise<readonly PreviewProblem[]> {
  const found: PreviewProblem[] = [];
  if (id === null) return found;
  for (const attribute of of.attributes) {
    const value = await valueOf(tx, of, attribute, id);
    if (!('code' in value)) continue;
    const { path, line, column } = attribute;
    found.push({ place: `${config.file}:${line}:${column}`, path, code: value.code, message: value.message });
  }
  return found;
}

function valueOf(
  tx: Tx,
  of: Previewed,
  attribute: AttributeMapping | undefined,
  id: string | null,
): Promise<Attempt<Json>> {
  return attempt(tx, async () => {
    if (id === null) return null;
    const [row] = await tx.query<{ value: string | null }>(previewValue(of, attribute), [1, id]);
    return row?.value == null ? null : parseJson(row.value);
  });
}

type Attempt<Value> = { readonly value: Value } | { readonly code: string; readonly message: string };

/** What fails in the database is told, and the transaction goes on. */
async function attempt<Value>(tx: Tx, work: () => Promise<Value>): Promise<Attempt<Value>> {
  await tx.script('savepoint rollcall_preview');
  try {
    const value = await work();
    await tx.script('release savepoint rollcall_preview');
    return { value };
  } catch (error) {
    const code = sqlState(error);
    if (code === undefined) throw error;
    await tx.script('rollback to savepoint rollcall_preview');
    return { code, message: (error as Error).message };
  }
}

function objectOf(text: string): JsonObject {
  const value = parseJson(text);
  return isJsonObject(value) ? value : {};
}
