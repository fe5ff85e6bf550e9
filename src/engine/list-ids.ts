import type { Destination, Exchange } from '../core/destination.ts';
import { RollcallError } from '../core/errors.ts';
import type { RemoteList } from '../core/lists.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Send } from './ports.ts';

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
 * @throws RollcallError `RC_LISTS_UNREADABLE`, `RC_LIST_UNKNOWN`
 */
export async function withListIds(destination: Destination<unknown>, config: unknown, send: Send): Promise<unknown> {
  const { lists } = destination;
  if (lists === undefined || lists.names(config).length === 0) return config;
  return lists.resolve(config, await readLists(destination, config, send));
}

async function exchange<Value>(
  destination: Destination<unknown>,
  config: unknown,
  send: Send,
  wanted: Exchange<Value>,
): Promise<ReturnType<Exchange<Value>['interpret']>> {
  const answer = await send(wanted.request, destination.auth(config), { deadlineMs: 10_000 });
  return answer.answered ? wanted.interpret(answer.response) : { ok: false, outcome: answer.outcome };
}

function unreadable({ name }: Destination<unknown>, outcome: Outcome): RollcallError {
  const why = outcome.kind === 'delivered' ? 'the answer could not be read' : outcome.message;
  return new RollcallError('RC_LISTS_UNREADABLE', `The lists of ${name} could not be read: ${why}`, {
    hint: 'Check the key and its scope, or name lists by their ids.',
  });
}
