import { createHash } from 'node:crypto';
import type { Config } from '../../config/types.ts';
import { dollarQuote, quoteIdent, quoteLiteral } from '../quote.ts';
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
  return new Map(some.map(({ name, adjustment }) => [name, { name: functionName(name), adjustment, plan }]));
}

/** Begins the name of each of these functions, and of no other. */
export const ADJUSTMENT_PREFIX = 'contacts_for_';

/** By the destination's name, so that a fold in flight never runs another destination's. */
function functionName(destination: string): string {
  const name = `${ADJUSTMENT_PREFIX}${destination}`;
  return name.length <= 63
    ? name
    : ADJUSTMENT_PREFIX + createHash('sha256').update(destination).digest('hex').slice(0, 32);
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
      `do ${dollarQuote(`begin perform from rollcall.${quoteIdent(of.name)}('{}', '{}'); end`)};`,
    ]),
  ];
}
