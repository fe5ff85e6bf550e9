import { adjustedPlan, CONTACT, contactColumns, contactProjection } from '../compile/adjustment.ts';
import { attributePlan } from '../compile/attribute-plan.ts';
import type { InspectedExpression } from '../compile/value.ts';
import type { Sources } from '../source.ts';
import type { Inspection } from './context.ts';
import { inspectCondition } from './expression.ts';
import type { Scope } from './scope.ts';

/**
 * Checks what the destinations say of attributes and people, each against the attributes that the mapping makes.
 * @param read what is known of the mapping
 * @returns what is known of each `where`, by the destination's name
 * @throws RollcallError `RC_ATTRIBUTE_TYPES`, `RC_ATTRIBUTE_RETYPE`, `RC_SQL_EXPRESSION`
 */
export async function inspectAdjustments(
  on: Inspection,
  read: Pick<Sources, 'users' | 'contacts' | 'aggregates'>,
): Promise<ReadonlyMap<string, InspectedExpression>> {
  const found = new Map<string, InspectedExpression>();
  const { destinations, file } = on.config;
  if (destinations.every(({ adjustment }) => adjustment === undefined)) return found;
  const plan = attributePlan(on.config, read);
  const columns = contactColumns(plan);
  const scope: Scope = {
    projection: contactProjection(columns),
    alias: CONTACT,
    names: ['email', ...Object.keys(plan)],
    virtual: [],
    over: 'row',
  };
  for (const { name, adjustment } of destinations) {
    adjustedPlan(plan, adjustment, file);
    const where = adjustment?.where;
    if (where === undefined) continue;
    const place = { path: `destinations.${name}.where`, line: where.line, column: where.column };
    found.set(name, await inspectCondition(on, scope, where.expression, 'where', place));
  }
  return found;
}
