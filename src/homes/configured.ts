import type { Config, DestinationConfig } from '../config/types.ts';
import type { Destination } from '../core/destination.ts';

/** The destinations that a home knows. A home without a file system knows those its config names: see ARCHITECTURE.md. */
export type Registry = readonly Destination<unknown>[];

/**
 * What the config says of a destination: its kind, its options and the whole entry; undefined when it does not name it. Where some
 * of them stand in Vault, `resolveOptions(entry)` gives those that can be sent with.
 */
export function configured(
  { destinations }: Config,
  name: string,
  registry: Registry,
):
  | { readonly destination: Destination<unknown>; readonly options: unknown; readonly entry: DestinationConfig }
  | undefined {
  const entry = destinations.find((d) => d.name === name);
  const destination = registry.find((d) => d.id === entry?.type);
  return entry === undefined || destination === undefined ? undefined : { destination, options: entry.options, entry };
}
