import type { Config } from '../../config/types.ts';
import type { AttributeMapping, Condition } from '../../core/mapping.ts';
import type { InspectedExpression } from '../compile/value.ts';
import type { Sources } from '../source.ts';

/** Where the config gives no `every:`. */
const EVERY_MS = 3_600_000;

type Expressions = ReadonlyMap<string, InspectedExpression>;

/**
 * The shortest time after which some contact may be another without a change of a row: what reads the clock, views that are
 * looked at again in turn, and whatever the config gives an `every:`. Undefined when there is nothing of the kind.
 */
export function reevaluateMs(
  { userMapping }: Config,
  { users, contacts, aggregates, adjustments }: Pick<Sources, 'users' | 'contacts' | 'aggregates' | 'adjustments'>,
): number | undefined {
  const times = [
    ...ofMapping(userMapping.attributes, userMapping.where, users.expressions),
    ...contacts.flatMap(({ table, mapping, expressions }) => [
      ...ofMapping(mapping.attributes, mapping.where, expressions),
      table.kind === 'view' ? mapping.everyMs : undefined,
    ]),
    ...aggregates.flatMap(({ table, attributes, where, expressions }) => [
      ...ofMapping(attributes, where, expressions),
      ...attributes.map((a) =>
        table.kind === 'view' && a.source.kind === 'aggregate' ? a.source.from.everyMs : undefined,
      ),
    ]),
    ...[...adjustments.values()].map(({ timeDependent }) => (timeDependent ? EVERY_MS : undefined)),
  ].filter((ms) => ms !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** Attributes whose value changes with the clock, or is computed in turn: they change by themselves, for many at once. */
export function clockAttributes(
  { userMapping }: Config,
  { users, contacts, aggregates }: Pick<Sources, 'users' | 'contacts' | 'aggregates'>,
): readonly string[] {
  const names = [
    ...ofTheClock(userMapping.attributes, undefined, users.expressions),
    ...contacts.flatMap(({ mapping, expressions }) => ofTheClock(mapping.attributes, undefined, expressions)),
    ...aggregates.flatMap(({ attributes, where, expressions }) => ofTheClock(attributes, where, expressions)),
  ];
  return [...new Set(names)].toSorted();
}

/** @param where which rows are computed over; one that reads the clock makes all of them change */
function ofTheClock(
  attributes: readonly AttributeMapping[],
  where: Condition | undefined,
  expressions: Expressions,
): string[] {
  return attributes
    .filter((attribute) => ofMapping([attribute], where, expressions).some((ms) => ms !== undefined))
    .map(({ name }) => name);
}

function ofMapping(
  attributes: readonly AttributeMapping[],
  where: Condition | undefined,
  expressions: Expressions,
): (number | undefined)[] {
  const clock = (expression: string): number | undefined =>
    expressions.get(expression)?.timeDependent === true ? EVERY_MS : undefined;
  return [
    where === undefined ? undefined : clock(where.expression),
    ...attributes.map(({ source }) =>
      source.kind === 'sql' || source.kind === 'aggregate' ? (source.everyMs ?? clock(source.expression)) : undefined,
    ),
  ];
}
