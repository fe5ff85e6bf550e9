import type { Config } from '../../config/types.ts';
import { dollarQuote, quoteLiteral } from '../quote.ts';
import type { Sources } from '../source.ts';
import { adjustFunction, type CompiledAdjustment } from './adjustment.ts';
import { attributePlan } from './attribute-plan.ts';

/** What one destination makes of contacts, and where. */
export interface NamedAdjustment extends CompiledAdjustment {
  /** The function that is generated for it, unquoted. */
  readonly name: string;
}

/**
 * What destinations make of contacts, by the destination's name.
 * @throws RollcallError `RC_ATTRIBUTE_TYPES`
 */
export function adjustments(config: Config, sources: Sources): ReadonlyMap<string, NamedAdjustment> {
  const some = config.destinations.flatMap(({ name, adjustment }) =>
    adjustment === undefined ? [] : [{ name, adjustment }],
  );
  if (some.length === 0) return new Map();
  const plan = attributePlan(config, sources);
  return new Map(some.map(({ name, adjustment }, n) => [name, { name: `adjust_${n + 1}`, adjustment, plan }]));
}

/** The functions, and which destination has which; destinations that are not there yet have none. */
export function adjustmentScript(adjusted: ReadonlyMap<string, NamedAdjustment>): readonly string[] {
  return [
    `delete from rollcall.adjustments;`,
    ...[...adjusted].flatMap(([destination, of]) => [
      adjustFunction(of.name, of),
      `insert into rollcall.adjustments (destination_id, function)
  select d.id, ${quoteLiteral(of.name)} from rollcall.destinations d where d.name = ${quoteLiteral(destination)};`,
      // Planned once now, as the mappings are.
      `do ${dollarQuote(`begin perform from rollcall.${of.name}('{}', '{}'); end`)};`,
    ]),
  ];
}
