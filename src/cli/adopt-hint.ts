import type { Config } from '../config/types.ts';
import { comparing } from '../core/exports.ts';
import { registry } from '../destinations/registry.ts';
import { configured } from '../homes/configured.ts';
import { wrap } from './layout.ts';

/** After a first install: an account may have people that nobody here knows of. Undefined for stand-ins, and where nothing can be read. */
export function adoptHint(config: Config, width: number): string | undefined {
  const can = config.destinations.some(({ name, sandbox }) => {
    if (sandbox !== undefined) return false;
    const found = configured(config, name, registry);
    return found !== undefined && comparing(found.destination) !== undefined;
  });
  const words =
    'Does the account have contacts already? Run `rollcall adopt` before `rollcall start`: it takes over who is there and who has left.';
  return can ? wrap(words, width) : undefined;
}
