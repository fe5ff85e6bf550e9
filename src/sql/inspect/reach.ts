import type { RollcallError } from '../../core/errors.ts';
import type { Queryable } from '../port.ts';

/** Built-in functions that reach beyond the row they are given, or tell about the server or the session. */
const REFUSED =
  /_to_xml|^xml(?:table|exists)|^current_|^set_config$|^pg_|^binary_upgrade_|^lo_|^loread$|^lowrite$|^txid_|^has_|^inet_(?:client|server)|^query_to|^cursor_to|^getdatabaseencoding$|^version$|_description$|^row_security_active$|^to_reg/;
const CLOCK = /^(?:now|transaction_timestamp|statement_timestamp|age)$/;
// OIDs of date, time, timestamp, timestamptz and timetz in pg_type; ops of SQLVALUEFUNCTION in nodes/primnodes.h.
const TIME_CONSTANT = /\{CONST :consttype (?:1082|1083|1114|1184|1266) /;
const CLOCK_WORD = /'\s*(?:now|today|tomorrow|yesterday)\b/i;
const LAST_CLOCK_OP = 8;

export type Refuse = (message: string, hint?: string) => RollcallError;

/** An expression as Postgres has stored it: as the rule of a view over the projection `pg_temp.rollcall_projection`. */
export interface StoredExpression {
  /** pg_rewrite.ev_action. */
  readonly action: string;
  /** Id of the rule. */
  readonly rule: string;
  /** Ids of the view and of the projection. */
  readonly own: readonly string[];
}

/**
 * Refuses tables other than its own row, and functions, operators and types that are neither Postgres's own nor those of the
 * row's columns.
 */
export async function checkReach(
  tx: Queryable,
  { action, rule, own }: StoredExpression,
  allowed: readonly string[],
  refuse: Refuse,
): Promise<void> {
  const relations = [...action.matchAll(/:relid (\d+)/g)].map(([, id]) => id ?? '0');
  const others = await tx.query<{ name: string }>(
    `select x.id::oid::regclass::text as name from unnest($1::text[]) as x(id) where x.id <> all($2::text[]) and x.id <> '0'`,
    [relations, own],
  );
  if (others[0] !== undefined)
    throw refuse(`A SQL expression reads its own row only, and this one reads ${others[0].name}.`);
  // Only what initdb made leaves no dependency; the collations it imports from the system do. The types of columns and of what
  // is inside them are the row's own, but for domains, whose checks may call anything.
  const needs = await tx.query<{ name: string; called: string | null }>(
    `with recursive own_types(oid) as (
       select a.atttypid from pg_attribute a where a.attrelid = 'pg_temp.rollcall_projection'::regclass and a.attnum > 0
       union
       select x.oid from own_types o join pg_type t on t.oid = o.oid
         cross join lateral (select t.typelem union all select t.typbasetype union all select t.typarray union all
           select a.atttypid from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped) as x(oid)
        where x.oid <> 0),
     known as (select t.oid, t.typrelid from own_types o join pg_type t on t.oid = o.oid where t.typtype <> 'd')
     select pg_describe_object(d.refclassid, d.refobjid, 0) as name,
            (select n.nspname || '.' || p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
              where d.refclassid = 'pg_proc'::regclass and p.oid = d.refobjid) as called
       from pg_depend d
      where d.classid = 'pg_rewrite'::regclass and d.objid = $1::oid
        and not (d.refclassid = 'pg_class'::regclass and d.refobjid::text = any($2::text[]))
        and not (d.refclassid = 'pg_collation'::regclass)
        and not (d.refclassid = 'pg_type'::regclass and d.refobjid in (select k.oid from known k))
        and not (d.refclassid = 'pg_class'::regclass and d.refobjid in (select k.typrelid from known k))`,
    [rule, own],
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
export async function checkFunctions(
  tx: Queryable,
  action: string,
  expression: string,
  refuse: Refuse,
): Promise<boolean> {
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
