import type { JsonObject } from '../core/json.ts';
import type { Bench } from './bench.ts';
import type { ConformanceKit } from './kit.ts';

/** A case before it is bound to a destination. */
export interface Case {
  readonly name: string;
  /** What its author writes next when it fails: a sentence that names the part. */
  readonly write: string;
  /** Whether it says anything of this destination; true when absent. */
  readonly needs?: (destination: ConformanceKit['destination']) => boolean;
  /** Names of lists that stand at the vendor and that the config names in `lists`. */
  readonly lists?: readonly string[] | ((kit: ConformanceKit) => readonly string[]);
  /** Names of lists that stand at the vendor and that segments keep. */
  readonly segments?: readonly string[];
  /** More options. */
  readonly options?: JsonObject;
  readonly run: (bench: Bench) => Promise<void>;
}
