import { existsSync, readdirSync } from 'node:fs';
import { RollcallError } from '../core/errors.ts';
import type { StandInMaker } from './stand-in.ts';

const DESTINATIONS = new URL('../destinations/', import.meta.url);
// The sources are run as they are by tests, and compiled by everybody else.
const INDEX = `sandbox/index.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`;

/** The ids of all destinations that have a stand-in: each folder of a destination with a `sandbox/index` in it. */
export const standInIds: readonly string[] = readdirSync(DESTINATIONS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(new URL(`${entry.name}/${INDEX}`, DESTINATIONS)))
  .map(({ name }) => name)
  .toSorted();

/**
 * Loads the stand-ins of destinations.
 * @param only their ids; all of them when undefined
 * @throws RollcallError `RC_SANDBOX_DESTINATION` for an id that has none
 */
export async function findStandIns(only?: readonly string[]): Promise<readonly (readonly [string, StandInMaker])[]> {
  const unknown = (only ?? []).find((id) => !standInIds.includes(id));
  if (unknown !== undefined) {
    throw new RollcallError('RC_SANDBOX_DESTINATION', `The sandbox has no stand-in of "${unknown}".`, {
      hint: `It has: ${standInIds.join(', ')}.`,
    });
  }
  const ids = only === undefined ? standInIds : standInIds.filter((id) => only.includes(id));
  return await Promise.all(
    ids.map(async (id) => {
      const module = (await import(new URL(`${id}/${INDEX}`, DESTINATIONS).href)) as { readonly default: StandInMaker };
      return [id, module.default] as const;
    }),
  );
}
