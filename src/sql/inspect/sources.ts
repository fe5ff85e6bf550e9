import type { Config } from '../../config/types.ts';
import { RollcallError } from '../../core/errors.ts';
import type { UserSource } from '../compile/users.ts';
import type { InspectedExpression } from '../compile/value.ts';
import { inspectAdjustments } from './adjustments.ts';
import { inspectAggregates } from './aggregates.ts';
import { checkColumns } from './columns.ts';
import { inspectContacts, linkedTables } from './contacts.ts';
import type { Inspection } from './context.ts';
import { inspectEventTables } from './events.ts';
import { inspectCondition, inspectExpression } from './expression.ts';
import { checkIndexes } from './indexes.ts';
import { checkInstall } from './install.ts';
import { clockAttributes, reevaluateMs } from './reevaluate.ts';
import { userScope } from './scope.ts';
import { inspectSystemEvents } from './system-events.ts';
import { inspectWal } from './wal.ts';
import { inspectWriteBacks } from './write-back.ts';
import type { Queryable, Script } from '../port.ts';
import type { Sources } from '../source.ts';

/**
 * Reads what the generated SQL has to fit: every table and view that the config names, how their rows lead to contacts, and
 * the types and inputs of all `sql:` expressions, each checked against what it may read and call. Changes nothing.
 * @throws RollcallError with the place in the config: `RC_NOT_INSTALLED`, `RC_NO_AUTH_USERS`, `RC_NO_STORAGE_OBJECTS`,
 * `RC_TABLE_UNKNOWN`, `RC_TABLE_KIND`, `RC_TABLE_PERMISSION`, `RC_TABLE_ROW_SECURITY`, `RC_NO_PRIMARY_KEY`,
 * `RC_CONFIG_COLUMN_UNKNOWN`, `RC_CONFIG_COLUMN_PATH`, `RC_CONFIG_TRANSFORM`, `RC_CONTACT_LINK`, `RC_NO_CONTACT_LINK`,
 * `RC_WRITE_BACK`, `RC_SQL_EXPRESSION`, `RC_VIEW_NOT_WATCHED`, `RC_VIEW_SECRET`, `RC_VIEW_EVENTS`, `RC_ATTRIBUTE_TYPES`, `RC_ATTRIBUTE_RETYPE`, `RC_WAL_LEVEL`, `RC_WAL_ROLE`,
 * `RC_WAL_TABLE`
 */
export async function inspectSources(tx: Queryable & Script, config: Config): Promise<Sources> {
  const users = await inspectUsers(tx, config);
  const on: Inspection = { tx, config, warnings: [] };
  await tx.script(`savepoint rollcall_sources; set local search_path = ''`);
  try {
    const contacts = await inspectContacts(on);
    const links = linkedTables(contacts);
    const aggregates = await inspectAggregates(on, links);
    const events = [...(await inspectEventTables(on, links)), ...(await inspectSystemEvents(on, users))];
    await checkIndexes(on, [
      ...contacts.map(({ found, source }) => ({ found, link: source.link, place: source.mapping })),
      ...aggregates.map(({ found, source, from }) => ({ found, link: source.link, place: from })),
    ]);
    const parts = {
      users,
      contacts: contacts.map((c) => c.source),
      aggregates: aggregates.map((a) => a.source),
      events,
    };
    const read = { ...parts, adjustments: await inspectAdjustments(on, parts) };
    const sources = {
      ...read,
      reevaluateMs: reevaluateMs(config, read),
      clockAttributes: clockAttributes(config, read),
      writeBacks: await inspectWriteBacks(on, links),
      warnings: on.warnings,
    };
    await inspectWal(on, sources);
    return sources;
  } finally {
    await tx.script('rollback to savepoint rollcall_sources; release savepoint rollcall_sources');
  }
}

/**
 * Reads the columns of `auth.users`, and the `sql:` expressions over a row of it.
 * @throws RollcallError `RC_NOT_INSTALLED`, `RC_NO_AUTH_USERS`, `RC_CONFIG_COLUMN_UNKNOWN`, `RC_SQL_EXPRESSION`
 */
async function inspectUsers(tx: Queryable & Script, config: Config): Promise<UserSource> {
  await checkInstall(tx);
  const rows = await tx.query<{ name: string }>(
    `select attname::text as name from pg_attribute
      where attrelid = to_regclass('auth.users') and attnum > 0 and not attisdropped`,
  );
  if (rows.length === 0) {
    throw new RollcallError('RC_NO_AUTH_USERS', 'This database has no table auth.users, or this role may not see it.', {
      hint: 'Use the database URL of a Supabase project, with the role "postgres" (dashboard, Connect).',
    });
  }
  const columns = new Set(rows.map((row) => row.name));
  checkColumns(config, columns);
  const on: Inspection = { tx, config, warnings: [] };
  const scope = userScope(columns, 'row');
  const expressions = new Map<string, InspectedExpression>();
  const { attributes, where } = config.userMapping;
  for (const attribute of attributes) {
    if (attribute.source.kind !== 'sql') continue;
    const { expression } = attribute.source;
    expressions.set(expression, await inspectExpression(on, scope, expression, attribute));
  }
  if (where !== undefined) {
    const place = { path: 'user_mapping.where', line: where.line, column: where.column };
    expressions.set(where.expression, await inspectCondition(on, scope, where.expression, 'where', place));
  }
  return { columns, expressions };
}
