import { type Place, RollcallError } from '../core/errors.ts';
import type { AttributeType } from '../core/mapping.ts';
import { USER_COLUMNS } from '../core/user-columns.ts';
import type { InspectedExpression } from './compile/value.ts';
import type { Queryable, Script } from './port.ts';
import { quoteIdent } from './quote.ts';

/** Built-in functions that reach beyond the row they are given, or tell about the server or the session. */
const REFUSED =
  /_to_xml|^xml(?:table|exists)|^current_|^set_config$|^pg_|^binary_upgrade_|^lo_|^loread$|^lowrite$|^txid_|^has_|^inet_(?:client|server)|^query_to|^cursor_to|^getdatabaseencoding$|^version$|_description$|^row_security_active$|^to_reg/;
const CLOCK = /^(?:now|transaction_timestamp|statement_timestamp|age)$/;
// OIDs of date, time, timestamp, timestamptz and timetz in pg_type; ops of SQLVALUEFUNCTION in nodes/primnodes.h.
const TIME_CONSTANT = /\{CONST :consttype (?:1082|1083|1114|1184|1266) /;
const CLOCK_WORD = /'\s*(?:now|today|tomorrow|yesterday)\b/i;
const LAST_CLOCK_OP = 8;

export interface ExpressionRules {
  /** Columns that exist, by their names in the database. */
  readonly columns: ReadonlySet<string>;
  /** Functions outside `pg_catalog` that may be called, as `schema.name`. */
  readonly allowFunctions: readonly string[];
}

type Refuse = (message: string, hint?: string) => RollcallError;

/**
 * Checks one `sql:` expression by letting Postgres plan it: a temporary view over a second temporary view that holds only the
 * allowed columns. What it reads is in pg_depend and, for system tables, in the stored rule alone; so is what it calls
 * (built-ins leave no dependency). Must run in a transaction; it leaves nothing behind.
 * @throws RollcallError `RC_SQL_EXPRESSION` with the place of the expression in the config
 */
export async function inspectExpression(
  tx: Queryable & Script,
  rules: ExpressionRules,
  expression: string,
  place: Place,
): Promise<InspectedExpression> {
  const refuse: Refuse = (message, hint) =>
    new RollcallError('RC_SQL_EXPRESSION', message, {
      hint,
      place: { file: place.file, line: place.line, column: place.column, path: place.path } as Place,
    });
  const projection = USER_COLUMNS.filter((c) => rules.columns.has(c.sql)).map(
    (c) => `${quoteIdent(c.sql)} as ${quoteIdent(c.name)}`,
  );
  await tx.script(`savepoint rollcall_inspect; set local search_path = ''; set local standard_conforming_strings = on`);
  try {
    await tx.query(`create temporary view rollcall_projection as select ${projection.join(', ')} from auth.users`);
    try {
      await tx.query(
        `create temporary view rollcall_expression as select (${expression}\n) as value from pg_temp.rollcall_projection as users`,
      );
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw refuse(
        `This SQL expression does not work: ${reason}.`,
        `It may use these columns: ${USER_COLUMNS.map((c) => c.name).join(', ')}. Functions and types outside pg_catalog need their schema's name.`,
      );
    }
    const view = await readView(tx, refuse);
    checkShape(view, refuse);
    await checkReach(tx, view, rules.allowFunctions, refuse);
    return {
      type: attributeType(view.type, view.category),
      columns: /:varattno 0 /.test(view.action) ? USER_COLUMNS.map((c) => c.name) : (view.columns ?? []),
      timeDependent: await checkFunctions(tx, view.action, expression, refuse),
    };
  } finally {
    await tx.script('rollback to savepoint rollcall_inspect; release savepoint rollcall_inspect');
  }
}

interface View {
  readonly [column: string]: unknown;
  readonly type: string;
  readonly category: string;
  readonly action: string;
  readonly outputs: string;
  readonly rule: string;
  readonly own: readonly string[];
  readonly columns: readonly string[] | null;
}

async function readView(tx: Queryable, refuse: Refuse): Promise<View> {
  const [view] = await tx.query<View>(
    `select t.typname::text as type, t.typcategory::text as category, r.ev_action::text as action,
            (select count(*) from pg_attribute x where x.attrelid = a.attrelid and x.attnum > 0) as outputs, r.oid::text as rule,
            array[a.attrelid::text, 'pg_temp.rollcall_projection'::regclass::oid::text] as own,
            (select array_agg(distinct p.attname::text) from pg_depend d
               join pg_attribute p on p.attrelid = d.refobjid and p.attnum = d.refobjsubid
              where d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
                and d.refobjid = 'pg_temp.rollcall_projection'::regclass and d.refobjsubid > 0) as columns
       from pg_attribute a join pg_type t on t.oid = a.atttypid join pg_rewrite r on r.ev_class = a.attrelid
      where a.attrelid = 'pg_temp.rollcall_expression'::regclass and a.attname = 'value'`,
  );
  if (view === undefined) throw refuse('This must be one SQL expression, and it is something else.');
  return view;
}

function checkShape(view: View, refuse: Refuse): void {
  if (view.outputs !== '1' || /:setOperations \{/.test(view.action))
    throw refuse('This must be one SQL expression, and it is something else.');
  if (/:has(?:Aggs|WindowFuncs|TargetSRFs) true/.test(view.action)) {
    throw refuse(
      'A SQL expression gives one value for each row, so aggregates, window functions and set-returning functions do not fit.',
    );
  }
}

/** Tables other than its own row, and functions, operators, types that are not Postgres's own. */
async function checkReach(tx: Queryable, view: View, allowed: readonly string[], refuse: Refuse): Promise<void> {
  const relations = [...view.action.matchAll(/:relid (\d+)/g)].map(([, id]) => id ?? '0');
  const others = await tx.query<{ name: string }>(
    `select x.id::oid::regclass::text as name from unnest($1::text[]) as x(id) where x.id <> all($2::text[]) and x.id <> '0'`,
    [relations, view.own],
  );
  if (others[0] !== undefined)
    throw refuse(`A SQL expression reads its own row only, and this one reads ${others[0].name}.`);
  // Only what initdb made leaves no dependency; the collations it imports from the system do.
  const needs = await tx.query<{ name: string; called: string | null }>(
    `select pg_describe_object(d.refclassid, d.refobjid, 0) as name,
            (select n.nspname || '.' || p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
              where d.refclassid = 'pg_proc'::regclass and p.oid = d.refobjid) as called
       from pg_depend d
      where d.classid = 'pg_rewrite'::regclass and d.objid = $1::oid
        and not (d.refclassid = 'pg_class'::regclass and d.refobjid::text = any($2::text[]))
        and not (d.refclassid = 'pg_collation'::regclass)`,
    [view.rule, view.own],
  );
  for (const { name, called } of needs) {
    if (called !== null && allowed.includes(called)) continue;
    throw refuse(
      `A SQL expression may use what is built into Postgres only, and ${name} is not.`,
      called === null ? undefined : `If it reads nothing but its arguments, list ${called} under allow_functions.`,
    );
  }
}

/** @returns whether the value changes as time goes by */
async function checkFunctions(tx: Queryable, action: string, expression: string, refuse: Refuse): Promise<boolean> {
  const ids = (pattern: RegExp): string[] =>
    [...action.matchAll(pattern)].flatMap(([, list]) => list?.match(/\d+/g) ?? []);
  const functions = await tx.query<{ name: string; volatility: string; builtin: boolean }>(
    `select p.proname::text as name, p.provolatile::text as volatility, p.pronamespace = 'pg_catalog'::regnamespace as builtin
       from pg_proc p
      where p.oid = any($1::oid[]) or p.oid in (select o.oprcode from pg_operator o where o.oid = any($2::oid[]))`,
    [ids(/:(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)/g), ids(/:(?:opno|opnos) (\d+|\(o [\d ]+\))/g)],
  );
  for (const fn of functions) {
    if (fn.volatility === 'v')
      throw refuse(`${fn.name}() gives another value each time, so the contact would never be in step.`);
    if (fn.builtin && REFUSED.test(fn.name))
      throw refuse(`${fn.name}() reaches beyond the row and can't be used in a mapping.`);
  }
  // CURRENT_DATE and its kin, and CURRENT_USER and its kin, are no functions in the stored rule.
  const ops = [...action.matchAll(/\{SQLVALUEFUNCTION :op (\d+)/g)].map(([, op]) => Number(op));
  if (ops.some((op) => op > LAST_CLOCK_OP))
    throw refuse('CURRENT_USER and its kin tell about the session, not about the row.');
  if (TIME_CONSTANT.test(action) && CLOCK_WORD.test(expression)) {
    throw refuse(
      `A time like 'now' is read once and kept, so the value would never change.`,
      'Use now() or CURRENT_DATE.',
    );
  }
  return ops.length > 0 || functions.some((fn) => fn.builtin && CLOCK.test(fn.name));
}

/** The attribute type of a Postgres type, by pg_type.typname (no setting changes it) and pg_type.typcategory. */
function attributeType(type: string, category: string): AttributeType {
  if (type === 'json' || type === 'jsonb' || category === 'A' || category === 'C') return 'json';
  if (type === 'bool') return 'boolean';
  if (type === 'int2' || type === 'int4' || type === 'int8') return 'integer';
  if (category === 'N') return 'float';
  if (type === 'date') return 'date';
  if (type === 'timestamp' || type === 'timestamptz') return 'timestamp';
  return 'text';
}
