import type { AttributePlan, Exchange } from './destination.ts';
import type { JsonObject } from './json.ts';

/** One contact as a destination's export has it. */
export interface RemoteRow {
  /** As it stands there; compared without regard to case. */
  readonly address: string;
  /** The destination's own id; null where the export has none. */
  readonly id: string | null;
  readonly status: RemoteStatus;
  /** By attribute name, as text; an attribute without a column is absent. */
  readonly fields: Readonly<Record<string, string>>;
}

/** `unknown`: the export does not say, or in words nobody knows. */
export type RemoteStatus = 'subscribed' | 'unsubscribed' | 'unknown';

/** How far an export is. */
export type ExportProgress =
  | { readonly state: 'running' }
  /** The file is at `url`, which needs no authentication. */
  | { readonly state: 'finished'; readonly url: string }
  | { readonly state: 'failed'; readonly message: string };

/** What a header row says of the rows below it. */
export interface RowReader {
  /** The attributes that have a column, sorted. */
  readonly attributes: readonly string[];
  /** One row; undefined when it holds no address. */
  read(cells: readonly string[]): RemoteRow | undefined;
}

/**
 * Reading all contacts of a destination: a job there makes a CSV file, gzipped or not, with one header row. Data and pure
 * functions.
 */
export interface ExportPlan<Config> {
  /**
   * Starts an export of all contacts; the value is its id. While another export keeps it from starting, the outcome is a
   * `retry` with the code `export_busy`.
   */
  start(config: Config): Exchange<string>;
  poll(id: string, config: Config): Exchange<ExportProgress>;
  /**
   * How to read the file's rows.
   * @throws RollcallError RC_EXPORT_COLUMNS when no column holds an address
   */
  rows(header: readonly string[], plan: AttributePlan): RowReader;
  /**
   * The attributes of a delivery that differ from an exported row: what would be sent, rendered, is compared with the
   * text. What is not sent, or has no column, does not differ.
   */
  differs(attributes: JsonObject, row: RemoteRow, plan: AttributePlan, config: Config): readonly string[];
  /** Whether a first delivery says more than a reading can show: lists to join. Whoever was there before us is then sent once. */
  saysMore(config: Config): boolean;
}
