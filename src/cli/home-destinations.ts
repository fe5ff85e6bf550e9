import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import { registry } from '../destinations/registry.ts';

const HOMES = { edge: 'The edge home', sql: 'The SQL home' } as const;

/**
 * @throws RollcallError `RC_HOME_DESTINATION` where one cannot be delivered to from there, `RC_HOME_CAPTURE` where changes come from the
 * write-ahead log, which only a worker reads
 */
export function checkHome({ destinations, capture, file }: Config, home: keyof typeof HOMES): void {
  if (capture === 'wal') {
    throw new RollcallError(
      'RC_HOME_CAPTURE',
      `${HOMES[home]} can't read the write-ahead log: that takes a connection that stays open.`,
      {
        hint: 'Set capture: triggers, run `rollcall apply`, and let a worker run until `rollcall status` says nothing of the slot any more; or run a worker.',
        place: { file, path: 'capture' },
      },
    );
  }
  for (const { name, type, line, column } of destinations) {
    if (registry.find(({ id }) => id === type)?.capabilities.homes.includes(home) === true) continue;
    throw new RollcallError('RC_HOME_DESTINATION', `${HOMES[home]} can't deliver to ${name} (${type}).`, {
      hint: 'Run a worker for it (`rollcall start`), or take it out of the config: docs/destinations.md has the homes of each.',
      place: { file, line, column, path: `destinations.${name}` },
    });
  }
}
