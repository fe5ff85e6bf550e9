import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';

/**
 * Names of the destinations that are not looked at.
 * @param skip what `--skip-destinations` was given: true without a name
 * @throws RollcallError `RC_DESTINATION_UNKNOWN`
 */
export function skippedNames(skip: true | readonly string[] | undefined, { destinations }: Config): readonly string[] {
  const known = destinations.map(({ name }) => name);
  if (skip === undefined) return [];
  if (skip === true) return known;
  const unknown = skip.find((name) => !known.includes(name));
  if (unknown === undefined) return skip;
  throw new RollcallError('RC_DESTINATION_UNKNOWN', `No destination of the config is called ${unknown}.`, {
    hint: `There is: ${known.join(', ') || 'none'}.`,
  });
}
