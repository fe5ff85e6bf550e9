import type { Config } from '../config/types.ts';
import type { Destination } from '../core/destination.ts';
import { registry } from '../destinations/registry.ts';

/** What the config says of a destination: its kind and its options; undefined when it does not name it. */
export function configured(
  { destinations }: Config,
  name: string,
): { readonly destination: Destination<unknown>; readonly options: unknown } | undefined {
  const entry = destinations.find((d) => d.name === name);
  const destination = registry.find((d) => d.id === entry?.type);
  return entry === undefined || destination === undefined ? undefined : { destination, options: entry.options };
}
