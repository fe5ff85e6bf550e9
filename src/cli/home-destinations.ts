import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import { registry } from '../destinations/registry.ts';

const HOMES = { edge: 'The edge home', sql: 'The SQL home' } as const;

/** @throws RollcallError `RC_HOME_DESTINATION` where one cannot be delivered to from there */
export function checkHome({ destinations, file }: Config, home: keyof typeof HOMES): void {
  for (const { name, type, line, column } of destinations) {
    if (registry.find(({ id }) => id === type)?.capabilities.homes.includes(home) === true) continue;
    throw new RollcallError('RC_HOME_DESTINATION', `${HOMES[home]} can't deliver to ${name} (${type}).`, {
      hint: 'Run a worker for it (`rollcall start`), or take it out of the config: docs/destinations.md has the homes of each.',
      place: { file, line, column, path: `destinations.${name}` },
    });
  }
}
