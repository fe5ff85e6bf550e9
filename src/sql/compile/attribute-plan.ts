import type { AttributePlan } from '../../core/destination.ts';
import { RollcallError } from '../../core/errors.ts';
import type { AttributeMapping, AttributeType, UserMapping } from '../../core/mapping.ts';
import type { Sources } from '../source.ts';
import { own } from './users.ts';
import { attributeValue, tableScope, USERS } from './value.ts';

/**
 * The types of all attributes, as the destinations get to know them. An attribute may come from several sources, and has
 * one type in all of them.
 * @throws RollcallError `RC_ATTRIBUTE_TYPES` with the place in the config
 */
export function attributePlan(
  config: { readonly userMapping: UserMapping; readonly file: string },
  sources: Pick<Sources, 'users' | 'contacts' | 'aggregates'>,
): AttributePlan {
  const plan = new Map<string, { readonly type: AttributeType; readonly attribute: AttributeMapping }>();
  for (const { attribute, type } of typed(config.userMapping, sources)) {
    const first = plan.get(attribute.name);
    if (first === undefined) plan.set(attribute.name, { type, attribute });
    else if (first.type !== type) {
      const { path, line, column } = attribute;
      throw new RollcallError(
        'RC_ATTRIBUTE_TYPES',
        `The attribute ${attribute.name} is ${type} here and ${first.type} at ${first.attribute.path} (line ${first.attribute.line}).`,
        {
          hint: `Give both one type, for example {to: ${attribute.name}, type: ${first.type}}, or another name to one of them.`,
          place: { file: config.file, path, line, column },
        },
      );
    }
  }
  return Object.fromEntries([...plan].map(([name, { type }]) => [name, type]));
}

function typed(
  mapping: UserMapping,
  sources: Pick<Sources, 'users' | 'contacts' | 'aggregates'>,
): { attribute: AttributeMapping; type: AttributeType }[] {
  const { users, contacts, aggregates } = sources;
  const of = (
    attributes: readonly AttributeMapping[],
    scope: typeof USERS,
    expressions: Sources['users']['expressions'],
  ): { attribute: AttributeMapping; type: AttributeType }[] =>
    attributes.map((attribute) => {
      const { source } = attribute;
      const inspected =
        source.kind === 'sql' || source.kind === 'aggregate' ? expressions.get(source.expression) : undefined;
      return { attribute, type: attributeValue(attribute, inspected, scope).type };
    });
  return [
    ...contacts.flatMap((c) => of(own(c.mapping), tableScope(c.table), c.expressions)),
    ...aggregates.flatMap((a) => of(a.attributes, tableScope(a.table), a.expressions)),
    ...of(own(mapping), USERS, users.expressions),
  ];
}
