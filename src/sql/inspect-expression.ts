import { type Place, RollcallError } from '../core/errors.ts';
import type { AttributeType } from '../core/mapping.ts';
import { USER_COLUMNS } from '../core/user-columns.ts';
import type { InspectedExpression } from './compile/value.ts';
import type { Queryable, Script } from './port.ts';
import { quoteIdent } from './quote.ts';

/** Built-in functions that reach beyond the row they are given, or tell about the server. */
const REFUSED =
  /_to_xml|^xml(?:table|exists)|^current_setting$|^set_config$|^pg_|^lo_|^loread$|^lowrite$|^txid_|^has_|^inet_|^query_to|^cursor_to|^dblink/;
const CLOCK = /^(?:now|transaction_timestamp|statement_timestamp|age)$/;

/**
 * Checks one `sql:` expression by letting Postgres plan it: a temporary view over a second temporary view that holds only the
 * allowed columns. What it reads is in pg_depend; what it calls is in the stored rule (built-ins leave no dependency).
 * Must run in a transaction; it leaves nothing behind.
 * @throws RollcallError `RC_SQL_EXPRESSION` with the place of the expression in the config
 */
export async function inspectExpression(
  tx: Queryable & Script,
  columns: ReadonlySet<string>,
  expression: string,
  place: Place,
): Promise<InspectedExpression> {
  const refuse = (message: string, hint?: string): RollcallError =>
    new RollcallError('RC_SQL_EXPRESSION', message, {
      hint,
      place: { file: place.file, line: place.line, column: place.column, path: place.path } as Place,
    });
  const projection = USER_COLUMNS.filter((c) => columns.has(c.sql)).map(
    (c) => `${quoteIdent(c.sql)} as ${quoteIdent(c.name)}`,
  );
  await tx.script('savepoint rollcall_inspect');
  try {
    await tx.query(`create temporary view rollcall_projection as select ${projection.join(', ')} from auth.users`);
    try {
      await tx.query(
        `create temporary view rollcall_expression as select (${expression}\n) as value from rollcall_projection as users`,
      );
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw refuse(
        `This SQL expression does not work: ${reason}.`,
        `It may use these columns: ${USER_COLUMNS.map((c) => c.name).join(', ')}.`,
      );
    }
    return await examine(tx, refuse);
  } finally {
    await tx.script('rollback to savepoint rollcall_inspect; release savepoint rollcall_inspect');
  }
}

async function examine(
  tx: Queryable,
  refuse: (message: string, hint?: string) => RollcallError,
): Promise<InspectedExpression> {
  const [view] = await tx.query<{
    type: string;
    category: string;
    action: string;
    outputs: string;
    tables: string[] | null;
    columns: string[] | null;
  }>(
    `select format_type(a.atttypid, null) as type, t.typcategory::text as category, r.ev_action::text as action,
            (select count(*) from pg_attribute x where x.attrelid = a.attrelid and x.attnum > 0) as outputs,
            (select array_agg(distinct d.refobjid::regclass::text) from pg_depend d
              where d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
                and d.refobjid not in (a.attrelid, 'pg_temp.rollcall_projection'::regclass)) as tables,
            (select array_agg(distinct p.attname::text) from pg_depend d
               join pg_attribute p on p.attrelid = d.refobjid and p.attnum = d.refobjsubid
              where d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
                and d.refobjid = 'pg_temp.rollcall_projection'::regclass and d.refobjsubid > 0) as columns
       from pg_attribute a join pg_type t on t.oid = a.atttypid join pg_rewrite r on r.ev_class = a.attrelid
      where a.attrelid = 'pg_temp.rollcall_expression'::regclass and a.attname = 'value'`,
  );
  if (view === undefined || view.outputs !== '1')
    throw refuse('This must be one SQL expression, and it is something else.');
  if (view.tables !== null)
    throw refuse(`A SQL expression reads its own row only, and this one reads ${view.tables.join(', ')}.`);
  if (/:has(?:Aggs|WindowFuncs|TargetSRFs) true/.test(view.action)) {
    throw refuse(
      'A SQL expression gives one value for each row, so aggregates, window functions and set-returning functions do not fit.',
    );
  }
  const timeDependent = await checkFunctions(tx, view.action, refuse);
  const wholeRow = /:varattno 0 /.test(view.action);
  return {
    type: attributeType(view.type, view.category),
    columns: wholeRow ? USER_COLUMNS.map((c) => c.name) : (view.columns ?? []),
    timeDependent,
  };
}

async function checkFunctions(
  tx: Queryable,
  action: string,
  refuse: (message: string, hint?: string) => RollcallError,
): Promise<boolean> {
  const ids = (pattern: RegExp): string[] =>
    [...action.matchAll(pattern)].flatMap(([, list]) => list?.match(/\d+/g) ?? []);
  const functions = await tx.query<{ name: string; schema: string; volatility: string }>(
    `select p.proname::text as name, n.nspname::text as schema, p.provolatile::text as volatility
       from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where p.oid = any($1::oid[]) or p.oid in (select o.oprcode from pg_operator o where o.oid = any($2::oid[]))`,
    [ids(/:(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)/g), ids(/:(?:opno|opnos) (\d+|\(o [\d ]+\))/g)],
  );
  for (const fn of functions) {
    if (fn.schema !== 'pg_catalog')
      throw refuse(`A SQL expression may call built-in functions only, and ${fn.schema}.${fn.name} is not one.`);
    if (fn.volatility === 'v')
      throw refuse(`${fn.name}() gives another value each time, so the contact would never be in step.`);
    if (REFUSED.test(fn.name)) throw refuse(`${fn.name}() reaches beyond the row and can't be used in a mapping.`);
  }
  // CURRENT_DATE and its kin, and CURRENT_USER and its kin, are no functions in the stored rule.
  return /\{SQLVALUEFUNCTION/.test(action) || functions.some((fn) => CLOCK.test(fn.name));
}

/** The attribute type of a Postgres type, by name and category (pg_type.typcategory). */
function attributeType(type: string, category: string): AttributeType {
  if (type === 'json' || type === 'jsonb' || category === 'A' || category === 'C') return 'json';
  if (type === 'boolean') return 'boolean';
  if (type === 'smallint' || type === 'integer' || type === 'bigint') return 'integer';
  if (category === 'N') return 'float';
  if (type === 'date') return 'date';
  if (type.startsWith('timestamp')) return 'timestamp';
  return 'text';
}
