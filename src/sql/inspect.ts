import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import type { InspectedExpression } from './compile/value.ts';
import type { UserSource } from './compile/users.ts';
import { checkColumns } from './inspect-columns.ts';
import { checkInstall } from './inspect-install.ts';
import { inspectExpression } from './inspect-expression.ts';
import type { Queryable, Script } from './port.ts';

/**
 * Reads what the generated SQL has to fit: the columns of `auth.users`, and the types and inputs of the config's `sql:`
 * expressions, each checked against what it may read and call.
 * @throws RollcallError `RC_NOT_INSTALLED`, `RC_NO_AUTH_USERS`, `RC_CONFIG_COLUMN_UNKNOWN`, `RC_SQL_EXPRESSION`
 */
export async function inspectUsers(tx: Queryable & Script, config: Config): Promise<UserSource> {
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
  const rules = { columns, allowFunctions: config.allowFunctions };
  const expressions = new Map<string, InspectedExpression>();
  const { attributes, where } = config.userMapping;
  for (const attribute of attributes) {
    if (attribute.source.kind !== 'sql') continue;
    const { expression } = attribute.source;
    expressions.set(expression, await inspectExpression(tx, rules, expression, { ...attribute, file: config.file }));
  }
  if (where !== undefined) {
    const found = await inspectExpression(tx, rules, where.expression, {
      path: 'user_mapping.where',
      line: where.line,
      column: where.column,
      file: config.file,
    });
    if (found.type !== 'boolean') {
      throw new RollcallError(
        'RC_SQL_EXPRESSION',
        `The condition "where" must be true or false, and this is ${found.type}.`,
        {
          place: { file: config.file, line: where.line, column: where.column, path: 'user_mapping.where' },
        },
      );
    }
    expressions.set(where.expression, found);
  }
  return { columns, expressions };
}
