import type { AttributePlan, Destination, Exchange } from './destination.ts';
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

/** Comparing a contact as it was read with what it shall be. */
export interface Comparing<Config> {
  /**
   * The attributes of a delivery that differ from a row: what would be sent, rendered, is compared with the text. What is not sent,
   * or has no column, does not differ.
   */
  differs(attributes: JsonObject, row: RemoteRow, plan: AttributePlan, config: Config): readonly string[];
  /** Whether a first delivery says more than a reading can show: lists to join. Whoever was there before us is then sent once. */
  saysMore(config: Config): boolean;
}

/**
 * Reading all contacts of a destination: a job there makes a CSV file, gzipped or not, with one header row. Data and pure
 * functions.
 */
export interface ExportPlan<Config> extends Comparing<Config> {
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
}

/** A part of all contacts. */
export interface ContactPage {
  readonly rows: readonly RemoteRow[];
  /** Where the next page begins; the last one names none. */
  readonly next?: string | undefined;
}

/** Reading all contacts of a destination page by page, each with all attributes of the plan. */
export interface ContactPages<Config> extends Comparing<Config> {
  /**
   * One page; `after` is undefined for the first, then what the page before named as `next`. Contacts of one page may come once more on
   * the next.
   */
  page(after: string | undefined, plan: AttributePlan, config: Config): Exchange<ContactPage>;
}

/** How the contacts of a destination are compared once they are read; undefined where they cannot be. */
export function comparing<Config>({
  exports,
  pages,
}: Pick<Destination<Config>, 'exports' | 'pages'>): Comparing<Config> | undefined {
  return exports ?? pages;
}
