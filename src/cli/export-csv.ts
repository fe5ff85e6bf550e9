import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { stringify } from 'csv-stringify';
import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import { type JsonObject, parseJson, renderJson } from '../core/json.ts';
import { registry } from '../destinations/registry.ts';
import type { BackfillRequest } from '../engine/backfill-ports.ts';
import type { DestinationState, Store } from '../engine/ports.ts';
import { configured } from '../homes/configured.ts';
import type { Sql } from '../sql/port.ts';
import type { Cli } from './cli.ts';
import { count } from './layout.ts';
import { createProgress } from './progress.ts';

export interface CsvExport {
  readonly sql: Sql;
  readonly store: Store;
  readonly config: Config;
  readonly file: string;
  readonly request: BackfillRequest;
  /** The name in the config; needed where there are several. */
  readonly destination: string | undefined;
}

const PAGE = 1_000;

/**
 * Writes what an import would say: a column for the address and one for each attribute. Whoever must not be subscribed by it is
 * left out. The file appears whole or not at all.
 * @throws RollcallError `RC_CSV_DESTINATION`, `RC_CSV_FILE`
 */
export async function exportCsv(options: CsvExport, cli: Cli): Promise<void> {
  const { file } = options;
  const state = await chosen(options);
  const attributes = Object.keys(state.plan);
  const render = renderer(options, state);
  const part = `${file}.part`;
  const progress = createProgress(cli.io.stderr);
  const tally = { written: 0, left: 0 };
  const rows = async function* (): AsyncGenerator<readonly string[]> {
    for await (const page of pages(options, state)) {
      tally.left += page.leftOut;
      for (const { address, payload } of page.contacts) {
        const values = render(address, payload);
        yield [address, ...attributes.map((name) => cellOf(values, name))];
      }
      tally.written += page.contacts.length;
      progress.show(`${count(tally.written, 'contact')} written`);
    }
  };
  try {
    await pipeline(
      rows,
      // A cell that begins like a formula would be run by a spreadsheet.
      stringify({
        header: true,
        columns: ['email', ...attributes],
        escape_formulas: true,
        record_delimiter: 'windows',
      }),
      createWriteStream(part, { mode: 0o600 }),
    );
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    const { code } = error as { code?: string };
    if (typeof code === 'string' && /^E[A-Z]+$/.test(code) && 'syscall' in (error as object)) {
      throw new RollcallError('RC_CSV_FILE', `The file ${file} can't be written (${code}).`, {
        hint: 'Name a file in a folder that exists and may be written to.',
        cause: error,
      });
    }
    throw error;
  } finally {
    progress.done();
  }
  const left =
    tally.left === 0 ? '' : ` ${count(tally.left, 'contact')} left out: they have not agreed, or have opted out.`;
  cli.say(`${count(tally.written, 'contact')} of ${state.name} written to ${file}.${left}`);
}

async function chosen({ store, config, destination }: CsvExport): Promise<DestinationState> {
  const all = await store.destinations();
  const found =
    destination === undefined ? (all.length === 1 ? all[0] : undefined) : all.find((d) => d.name === destination);
  if (found !== undefined) return found;
  const names = config.destinations.map((d) => d.name).join(', ');
  throw new RollcallError(
    'RC_CSV_DESTINATION',
    destination === undefined
      ? 'It is not said whose contacts to write.'
      : `There is no destination named ${destination}.`,
    { hint: `Add \`--destination\` with one of: ${names}.` },
  );
}

/** The attributes of a contact as the destination keeps them. */
function renderer(
  { config }: CsvExport,
  { name, plan }: DestinationState,
): (address: string, payload: JsonObject) => JsonObject {
  const { destination, options } = configured(config, name, registry) ?? {};
  const rest = {
    contactId: '',
    version: '',
    action: 'upsert',
    remote: null,
    takeover: false,
    consent: 'basis',
  } as const;
  return (address, attributes) =>
    destination?.bulk?.values({ ...rest, address, attributes }, plan, options) ?? attributes;
}

interface Page {
  readonly contacts: readonly { readonly address: string; readonly payload: JsonObject }[];
  readonly leftOut: number;
}

async function* pages({ sql, config, request }: CsvExport, state: DestinationState): AsyncGenerator<Page> {
  const consents = configured(config, state.name, registry)?.destination.bulk?.consents ?? ['basis'];
  let left = request.most ?? Infinity;
  for (let place: string | null = null; left > 0;) {
    const [row]: readonly PageRow[] = await sql.query<PageRow>(
      'select next, scanned, left_out, contacts::text from rollcall.export_page($1, rollcall.with_key($2, $7), $3, $4, $5, $6::text[])',
      [state.id, place, Math.min(PAGE, left), request.resource, request.since, consents, config.erasure.key ?? null],
    );
    if (row === undefined) return;
    const found = parseJson(row.contacts) as unknown as Page['contacts'];
    yield { contacts: found, leftOut: row.left_out };
    left -= row.scanned;
    if (row.next === null) return;
    place = row.next;
  }
}

function cellOf(payload: JsonObject, name: string): string {
  const value = payload[name] ?? null;
  if (value === null) return '';
  return typeof value === 'string' ? value : renderJson(value);
}

interface PageRow {
  readonly [column: string]: unknown;
  readonly next: string | null;
  readonly scanned: number;
  readonly left_out: number;
  readonly contacts: string;
}
