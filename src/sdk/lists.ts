import { RollcallError } from '../core/errors.ts';
import { idsOfLists } from '../core/list-names.ts';
import { readLists } from '../engine/list-ids.ts';
import type { Send } from '../engine/ports.ts';
import { configured, type Registry } from '../homes/configured.ts';
import { resolveOptions } from '../homes/resolve-options.ts';
import type { Sql } from '../sql/port.ts';
import type { Config } from '../config/types.ts';
import { createDurable } from './durable.ts';
import type { Host } from './host.ts';
import { throwIfStopped } from './stopped.ts';
import { addressIn } from './told.ts';

/** A row with an address in it; its other columns are left alone. No record: an interface of the app is none to the compiler. */
export type ListRow = object;
/** Any number of rows, as they are or as they come. */
export type ListRows = Iterable<ListRow> | AsyncIterable<ListRow> | null | undefined;

export interface AddOptions {
  /** The name of the destination, where several have lists. */
  readonly destination?: string | undefined;
  /** The column with the address; `email` when absent. */
  readonly email?: string | undefined;
}

/** What became of the rows. */
export interface AddedContacts {
  /** True: they wait in the database, and each joins as soon as it is a contact there. */
  readonly durable: boolean;
  /** Rows that were taken. */
  readonly taken: number;
  /** Of these, without a database: those whom the destination did not add, as they are no contacts there, or were members. */
  readonly unchanged: number;
  /** Rows without a usable address. */
  readonly invalid: number;
}

const PIECE = 1_000;
const LONGEST_NAME = 255;

/**
 * Adds contacts to a list. Nobody becomes a contact by it: whoever is none, or none yet, has said nothing of being mailed.
 * @throws RollcallError `RC_LIST_DESTINATION`, `RC_LIST_UNKNOWN`, `RC_NOT_DELIVERED`, `RC_NOT_INSTALLED`, `RC_STOPPED`
 */
export async function addContacts(
  host: Host,
  id: number | string,
  rows: ListRows,
  { destination, email = 'email' }: AddOptions,
): Promise<AddedContacts> {
  const stopping = host.stopping();
  const [name, list, durable] = await host.during(async () => {
    const [config, registry, sql] = await Promise.all([host.config(), host.registry(), host.database()]);
    const found = destinationOf(config, registry, destination);
    return [found, await idOf({ config, registry, sql, send: host.send }, found, id), sql !== undefined] as const;
  });
  let [taken, unchanged, invalid] = [0, 0, 0];
  // Between two pieces rows may be long in coming, and Rollcall be stopped or connected anew.
  const add = async (addresses: readonly string[]): Promise<void> => {
    throwIfStopped(stopping);
    const sql = await host.database();
    if (sql === undefined) unchanged += await (await host.direct()).addMembers(name, list, addresses);
    else await createDurable(sql).join(addresses.map((address) => ({ address, destination: name, list })));
    taken += addresses.length;
  };
  let piece: string[] = [];
  for await (const row of rows ?? []) {
    // Whoever compiles nothing may give anything.
    const address = addressIn((row as Readonly<Record<string, unknown>> | null | undefined)?.[email]);
    if (address === undefined) invalid += 1;
    else piece.push(address);
    if (piece.length < PIECE) continue;
    await host.during(() => add(piece));
    piece = [];
  }
  if (piece.length > 0) await host.during(() => add(piece));
  return { durable, taken, unchanged, invalid };
}

/** @throws RollcallError `RC_LIST_DESTINATION` */
function destinationOf(config: Config, registry: Registry, wanted: string | undefined): string {
  const able = config.destinations
    .filter(({ type }) => registry.find(({ id }) => id === type)?.lists?.members !== undefined)
    .map(({ name }) => name);
  const [first, ...others] = able.filter((name) => wanted === undefined || name === wanted);
  if (first !== undefined && others.length === 0) return first;
  const known =
    able.length === 0 ? 'The config names none.' : `There ${able.length === 1 ? 'is' : 'are'} ${able.join(', ')}.`;
  throw new RollcallError(
    'RC_LIST_DESTINATION',
    wanted === undefined
      ? `It is not said whose list: ${able.length === 0 ? 'no destination has' : 'several destinations have'} lists that are joined by address.`
      : `"${wanted}" is no destination with lists that are joined by address.`,
    { hint: `${known} Name one: addContacts(id, rows, { destination }).` },
  );
}

/** @throws RollcallError `RC_LIST_UNKNOWN`, `RC_LISTS_UNREADABLE`, `RC_VAULT_SECRET` */
async function idOf(
  { config, registry, sql, send }: ListAccess,
  name: string,
  id: number | string,
): Promise<number | string> {
  if (
    typeof id === 'number'
      ? !Number.isSafeInteger(id) || id <= 0
      : typeof id !== 'string' || id === '' || id.length > LONGEST_NAME
  )
    throw new RollcallError('RC_LIST_UNKNOWN', 'What is given is no list.', {
      hint: 'A list is named by its id, a whole number above zero, or by its name: addContacts(id, rows).',
    });
  if (typeof id === 'number') return id;
  if (/^\d{1,15}$/.test(id)) return Number(id);
  const found = configured(config, name, registry);
  if (found === undefined) throw new TypeError(`the config names no destination ${name}`);
  const { destination, entry } = found;
  const options = sql === undefined ? entry.options : await resolveOptions(entry, sql, registry);
  const [known = id] = idsOfLists(destination.name, [id], await readLists(destination, options, send));
  return known;
}

interface ListAccess {
  readonly config: Config;
  readonly registry: Registry;
  readonly sql: Sql | undefined;
  readonly send: Send;
}
