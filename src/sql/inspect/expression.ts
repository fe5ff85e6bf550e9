import type { MappingPlace } from '../../core/mapping.ts';
import type { InspectedExpression } from '../compile/value.ts';
import { type Inspection, listed, refusal } from './context.ts';
import { checkFunctions, checkReach, type Refuse, type StoredExpression } from './reach.ts';
import type { Scope } from './scope.ts';
import { attributeType, type BaseType, baseTypeColumns, baseTypes } from './type.ts';
import type { Queryable } from '../port.ts';

/**
 * Checks one `sql:` expression by letting Postgres parse it: a temporary view over a second temporary view that holds only the
 * columns it may read. What it reads is in pg_depend and, for system tables, in the stored rule alone; so is what it calls
 * (built-ins leave no dependency). Leaves nothing behind.
 *
 * An event's expression is checked, and has to be compiled, inside a query of its row alone, with `old` in the query around
 * it: `(select (…) from (row) as "orders")`. So a bare column is one of the row, and `old.total` one of the row before.
 * @throws RollcallError `RC_SQL_EXPRESSION` with the place of the expression in the config
 */
export async function inspectExpression(
  on: Inspection,
  scope: Scope,
  expression: string,
  place: MappingPlace,
): Promise<InspectedExpression> {
  const { tx, config } = on;
  const refuse: Refuse = (message, hint) => refusal(on, place, 'RC_SQL_EXPRESSION', message, hint);
  await tx.script(`savepoint rollcall_inspect; set local search_path = ''; set local standard_conforming_strings = on`);
  try {
    await tx.query(`create temporary view rollcall_projection as ${scope.projection}`);
    try {
      await tx.query(`create temporary view rollcall_expression as ${query(scope, expression)}`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const virtual =
        scope.virtual.length === 0 ? '' : ` Virtual generated ones (${listed(scope.virtual)}) do not count.`;
      throw refuse(
        `This SQL expression does not work: ${reason}.`,
        `It may use these columns: ${listed(scope.names)}.${virtual} Functions and types outside pg_catalog need their schema's name.`,
      );
    }
    const view = await readView(tx, refuse);
    checkShape(view, scope, refuse);
    await checkReach(tx, view, config.allowFunctions, refuse);
    return {
      type: attributeType(view),
      columns: /:varattno 0 /.test(view.action) ? scope.names : (view.columns ?? []),
      timeDependent: await checkFunctions(tx, view.action, expression, refuse),
    };
  } finally {
    await tx.script('rollback to savepoint rollcall_inspect; release savepoint rollcall_inspect');
  }
}

/**
 * Checks an SQL condition over one row, as `inspectExpression` does.
 * @param name how the config calls it
 * @throws RollcallError `RC_SQL_EXPRESSION`
 */
export async function inspectCondition(
  on: Inspection,
  scope: Scope,
  condition: string,
  name: string,
  place: MappingPlace,
): Promise<InspectedExpression> {
  const found = await inspectExpression(on, scope, condition, place);
  if (found.type === 'boolean') return found;
  const what = `The condition "${name}" must be true or false, and this is ${found.type}.`;
  throw refusal(on, place, 'RC_SQL_EXPRESSION', what);
}

function query({ alias, over }: Scope, expression: string): string {
  const from = 'from pg_temp.rollcall_projection as';
  return over === 'event'
    ? `select (select (${expression}\n) ${from} ${alias}) as value ${from} old`
    : `select (${expression}\n) as value ${from} ${alias}`;
}

interface View extends BaseType, StoredExpression {
  readonly [column: string]: unknown;
  readonly outputs: string;
  readonly columns: readonly string[] | null;
}

async function readView(tx: Queryable, refuse: Refuse): Promise<View> {
  const [view] = await tx.query<View>(
    `with recursive ${baseTypes(`select a.attnum, a.atttypid, a.atttypmod from pg_attribute a
       where a.attrelid = 'pg_temp.rollcall_expression'::regclass and a.attname = 'value'`)}
     select ${baseTypeColumns('t')}, r.ev_action::text as action,
            (select count(*) from pg_attribute x where x.attrelid = r.ev_class and x.attnum > 0) as outputs, r.oid::text as rule,
            array[r.ev_class::text, 'pg_temp.rollcall_projection'::regclass::oid::text] as own,
            (select array_agg(distinct p.attname::text) from pg_depend d
               join pg_attribute p on p.attrelid = d.refobjid and p.attnum = d.refobjsubid
              where d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
                and d.refobjid = 'pg_temp.rollcall_projection'::regclass and d.refobjsubid > 0) as columns
       from base b join pg_type t on t.oid = b.oid and t.typtype <> 'd'
       join pg_rewrite r on r.ev_class = 'pg_temp.rollcall_expression'::regclass`,
  );
  if (view === undefined) throw refuse('This must be one SQL expression, and it is something else.');
  return view;
}

function checkShape({ outputs, action, own }: View, { over }: Scope, refuse: Refuse): void {
  const ownRows = action.split(`:rtekind 0 :relid ${own[1]} `).length - 1;
  if (ownRows > (over === 'event' ? 2 : 1)) throw refuse('A SQL expression reads its own row only.');
  if (outputs !== '1' || /:setOperations \{/.test(action))
    throw refuse('This must be one SQL expression, and it is something else.');
  if (over === 'rows') {
    if (/:has(?:WindowFuncs|TargetSRFs) true/.test(action)) {
      throw refuse('This gives one value for all rows, so window functions and set-returning functions do not fit.');
    }
    // Of the query itself, whose fields come before those of the queries inside it.
    if (!/^[^{]*\{QUERY [^{]*?:hasAggs true/.test(action)) {
      throw refuse(
        'This gives a value for each row, and a contact may have many.',
        'Aggregate them, for example count(*) or max(created_at).',
      );
    }
    return;
  }
  if (/:has(?:Aggs|WindowFuncs|TargetSRFs) true/.test(action)) {
    throw refuse(
      'A SQL expression gives one value for each row, so aggregates, window functions and set-returning functions do not fit.',
      'To aggregate rows of a table, name it with from:.',
    );
  }
}
