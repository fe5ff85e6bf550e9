import type { Host } from '../../test/support/platform/extension.ts';

/** Where a home is at work: an installed database with what the platform has in it, and the config's text. */
export interface Place extends Host {
  readonly yaml: string;
}

/** A home that delivers. */
export interface AtWork {
  /** What delivers dies as it is, and another takes its place. */
  kill(): Promise<void>;
  end(): Promise<void>;
}

/** One of the three homes, as the benches run it. */
export interface Home {
  readonly name: string;
  /** Adds to an installed database what this home needs in it. */
  deploy(place: Place): Promise<void>;
  start(place: Place): Promise<AtWork>;
}
