import type { Destination } from '../core/destination.ts';
import type { JsonObject } from '../core/json.ts';
import type { StandInMaker } from '../sandbox/stand-in.ts';

/** What the suite needs of a destination; everything else follows from its `capabilities` and from the parts it has. */
export interface ConformanceKit {
  readonly destination: Destination<unknown>;
  /** Its API in memory: the destination is tested against it, over HTTP. */
  readonly standIn: StandInMaker;
  /** Options of the destination, as they would be written in `rollcall.yaml`, beside those of its `standIn`. */
  readonly options?: JsonObject | undefined;
  /** Settings of the stand-in. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
}

/** One thing that every destination keeps. Give it to any runner: `test(each.name, each.run)`. */
export interface ConformanceCase {
  readonly name: string;
  /**
   * Starts a sandbox, does it and closes it again.
   * @throws AssertionError what does not hold, and what to write next
   */
  readonly run: () => Promise<void>;
}
