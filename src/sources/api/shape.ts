import { tableKey } from '../../config/table-name.ts';
import type { Config } from '../../config/types.ts';
import { RollcallError } from '../../core/errors.ts';
import type { TableName } from '../../core/mapping.ts';
import { USER_COLUMNS } from '../../core/user-columns.ts';
import type { Client } from './client.ts';
import { type DescribedColumn, type DescribedTable, readDescription } from './describe.ts';
import { mirroredTables, readsFiles } from './mirrored.ts';

/** A table of the state database that holds what is read of one of the project. */
export interface MirrorShape extends TableName {
  readonly kind: 'users' | 'rows' | 'objects';
  readonly columns: readonly DescribedColumn[];
  readonly key: readonly string[];
  /** Single columns that hold the key of a row of another mirrored table. */
  readonly references: readonly Reference[];
}

export interface Reference extends TableName {
  readonly column: string;
  readonly targetColumn: string;
}

/** Not told by the Admin API (auth:internal/models/user.go). */
const UNTOLD: readonly string[] = ['is_super_admin'];
const FORMATS: Readonly<Record<string, string>> = {
  id: 'uuid',
  json: 'jsonb',
  timestamp: 'timestamp with time zone',
  boolean: 'boolean',
};

/** `auth.users`, as far as the Admin API tells of it. */
export const USERS: MirrorShape = {
  schema: 'auth',
  table: 'users',
  kind: 'users',
  columns: USER_COLUMNS.filter(({ sql }) => !UNTOLD.includes(sql)).map(({ sql, type }) => ({
    name: sql,
    format: FORMATS[sql] ?? FORMATS[type] ?? 'text',
  })),
  key: ['id'],
  references: [],
};

/** `storage.objects`, as far as lists tell of it. */
export const OBJECTS: MirrorShape = {
  schema: 'storage',
  table: 'objects',
  kind: 'objects',
  columns: [
    { name: 'id', format: 'uuid' },
    { name: 'bucket_id', format: 'text' },
    { name: 'name', format: 'text' },
    { name: 'owner_id', format: 'text' },
    { name: 'created_at', format: 'timestamp with time zone' },
    { name: 'updated_at', format: 'timestamp with time zone' },
    { name: 'last_accessed_at', format: 'timestamp with time zone' },
    { name: 'metadata', format: 'jsonb' },
  ],
  key: ['id'],
  references: [],
};

/** A description names every table of a schema. */
const LONGEST_DESCRIPTION = 64 * 2 ** 20;

/**
 * What is to be mirrored of a project, as its Data API describes it now.
 * @throws RollcallError `RC_API_NO_DESCRIPTION`, `RC_API_TABLE`, `RC_API_NO_KEY`, and what `Client.ask` throws
 */
export async function readShapes(client: Client, config: Config): Promise<readonly MirrorShape[]> {
  const names = mirroredTables(config);
  const described = new Map<string, DescribedTable>();
  for (const schema of new Set(names.map((name) => name.schema))) {
    for (const table of await describe(client, schema)) described.set(tableKey(table), table);
  }
  const tables = names.map((name) => {
    const found = described.get(tableKey(name));
    if (found === undefined) throw unseen(client.host, name);
    if (found.primaryKey.length === 0) throw keyless(name);
    return found;
  });
  const targets = new Set(names.map(tableKey));
  const rows = tables.map(({ schema, table, columns, primaryKey, references }): MirrorShape => ({
    schema,
    table,
    kind: 'rows',
    columns,
    key: primaryKey,
    references: [...references.filter((each) => targets.has(tableKey(each))), ...toUsers(columns)],
  }));
  return [USERS, ...targetsFirst(rows), ...(readsFiles(config) ? [OBJECTS] : [])];
}

async function describe(client: Client, schema: string): Promise<readonly DescribedTable[]> {
  const headers = { accept: 'application/openapi+json', 'accept-profile': schema };
  const answer = await client.ask('/rest/v1/', { headers, longest: LONGEST_DESCRIPTION });
  const found = answer.status === 200 ? readDescription(answer.json, schema) : undefined;
  if (found !== undefined) return found;
  // PGRST106: the schema is not exposed.
  const hint =
    answer.status === 406
      ? `Add the schema ${schema} to the exposed ones: dashboard, Settings, Data API.`
      : 'Is the Data API switched on (dashboard, Settings, Data API), and its OpenAPI description with it?';
  throw new RollcallError(
    'RC_API_NO_DESCRIPTION',
    `The Data API of ${client.host} does not describe the schema ${schema} (HTTP ${answer.status}).`,
    { hint },
  );
}

/** The description of a schema says nothing of keys that lead out of it, as to users: a column of this name and type is taken for one. */
function toUsers(columns: readonly DescribedColumn[]): readonly Reference[] {
  return columns
    .filter(({ name, format }) => name === 'user_id' && format === 'uuid')
    .map(({ name }) => ({ schema: USERS.schema, table: USERS.table, column: name, targetColumn: 'id' }));
}

/** A row is there before another leads to it. */
function targetsFirst(shapes: readonly MirrorShape[]): readonly MirrorShape[] {
  const done = new Map<string, MirrorShape>();
  const visit = (shape: MirrorShape, above: readonly MirrorShape[]): void => {
    if (done.has(tableKey(shape)) || above.includes(shape)) return;
    for (const target of shapes) {
      if (shape.references.some((to) => tableKey(to) === tableKey(target))) visit(target, [...above, shape]);
    }
    done.set(tableKey(shape), shape);
  };
  for (const shape of shapes) visit(shape, []);
  return [...done.values()];
}

function unseen(host: string, { schema, table }: TableName): RollcallError {
  return new RollcallError('RC_API_TABLE', `The Data API of ${host} shows no table ${schema}.${table} to this key.`, {
    hint: `Is its name right? Since 30 October 2026 a new table is granted to nobody by itself: grant select on ${schema}.${table} to service_role;`,
  });
}

function keyless({ schema, table }: TableName): RollcallError {
  return new RollcallError(
    'RC_API_NO_KEY',
    `${schema}.${table} has no primary key that the Data API tells of, so its rows cannot be read page by page, nor told apart.`,
    {
      hint: 'Give the table a primary key; of a view, map the table under it. Or read the project by its database: set database_url.',
    },
  );
}
