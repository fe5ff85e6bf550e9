import type { Destination, Exchange } from '../core/destination.ts';
import { RollcallError } from '../core/errors.ts';
import type { RemoteList } from '../core/lists.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Send } from './ports.ts';
import { readAnswer } from './read-answer.ts';

/** A destination without an end to its pages must not keep us for ever. */
const MOST_PAGES = 1_000;

/**
 * Every list of a destination.
 * @throws RollcallError `RC_LISTS_UNREADABLE`
 */
export async function readLists(
  destination: Destination<unknown>,
  config: unknown,
  send: Send,
): Promise<readonly RemoteList[]> {
  const { lists: plan } = destination;
  if (plan === undefined) return [];
  const found: RemoteList[] = [];
  let page: string | undefined;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const read = await exchange(destination, config, send, plan.all(config, page));
    if (!read.ok) throw unreadable(destination, read.outcome);
    found.push(...read.value.lists);
    page = read.value.next;
    if (page === undefined) break;
  }
  return found;
}

/**
 * The destination's config with list names replaced by ids.
 * @throws RollcallError `RC_LISTS_UNREADABLE`, `RC_LIST_UNKNOWN`, `RC_LIST_SHARED`
 */
export async function withListIds(destination: Destination<unknown>, config: unknown, send: Send): Promise<unknown> {
  const { lists } = destination;
  if (lists === undefined || lists.names(config).length === 0) return config;
  return lists.resolve(config, await readLists(destination, config, send));
}

/** What must be known to find, or make, the lists of a config. */
export interface ListAccess {
  readonly destination: Destination<unknown>;
  readonly config: unknown;
  readonly send: Send;
}

/**
 * Names of lists in the config that are not there.
 * @param mayCreate whether they will be made; else one that is missing is an error
 * @throws RollcallError `RC_LISTS_UNREADABLE`, `RC_LIST_UNKNOWN`, `RC_LIST_SHARED`
 */
export async function missingLists(
  { destination, config, send }: ListAccess,
  mayCreate: boolean,
): Promise<readonly string[]> {
  const { lists } = destination;
  if (lists === undefined || lists.names(config).length === 0) return [];
  const known = await readLists(destination, config, send);
  const names = lists.names(config);
  const missing = names.filter((name) => !known.some((list) => list.name === name || list.id === name));
  // What is said twice there, or may not be made, is told by the one who resolves.
  lists.resolve(config, mayCreate ? [...known, ...missing.map((name) => ({ id: name, name }))] : known);
  return [...new Set(missing)];
}

/**
 * Makes lists. One whose answer was lost is looked for before it is given up.
 * @throws RollcallError `RC_LIST_REFUSED` with the destination's own words
 */
export async function createLists({ destination, config, send }: ListAccess, names: readonly string[]): Promise<void> {
  const { lists: plan } = destination;
  if (plan === undefined) return;
  for (const name of names) {
    const made = await exchange(destination, config, send, plan.create(name, config));
    if (made.ok) continue;
    if ((await readLists(destination, config, send)).some((list) => list.name === name)) continue;
    const why = made.outcome.kind === 'delivered' ? 'the answer could not be understood.' : made.outcome.message;
    throw new RollcallError('RC_LIST_REFUSED', `${destination.name} did not create the list "${name}": ${why}`, {
      hint: 'Create it there by hand, and run `rollcall apply` again.',
    });
  }
}

async function exchange<Value>(
  destination: Destination<unknown>,
  config: unknown,
  send: Send,
  wanted: Exchange<Value>,
): Promise<ReturnType<Exchange<Value>['interpret']>> {
  const answer = await send(wanted.request, destination.auth(config), { deadlineMs: 10_000 });
  return readAnswer(wanted, answer);
}

function unreadable({ name }: Destination<unknown>, outcome: Outcome): RollcallError {
  const why = outcome.kind === 'delivered' ? 'the answer could not be read' : outcome.message;
  return new RollcallError('RC_LISTS_UNREADABLE', `The lists of ${name} could not be read: ${why}`, {
    hint: 'Check the key and its scope, or name lists by their ids.',
  });
}
