import type { JsonObject } from '../core/json.ts';
import type { ConformanceKit } from './kit.ts';
import { must } from './must.ts';

/**
 * The option by which contacts join lists: the first of the config that `lists.names` finds their names in. One that takes a
 * single list is given the first of them.
 * @throws AssertionError when there is none
 */
export function joining({ destination }: ConformanceKit, options: JsonObject, names: readonly string[]): JsonObject {
  const { properties = {} } = destination.config.toJSONSchema({ io: 'input', unrepresentable: 'any' });
  for (const name of Object.keys(properties)) {
    for (const value of [[...names], names[0] ?? '']) {
      const parsed = destination.config.safeParse({ ...options, [name]: value });
      const found = parsed.success ? (destination.lists?.names(parsed.data) ?? []) : [];
      if (found.length > 0 && found.every((each) => names.includes(each))) return { [name]: value };
    }
  }
  must(false, 'an option of the config names lists, and `lists.names` finds them there');
}
