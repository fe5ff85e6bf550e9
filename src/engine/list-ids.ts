import type { Destination, RemoteList } from '../core/destination.ts';
import { RollcallError } from '../core/errors.ts';
import type { Send } from './ports.ts';

/**
 * The destination's config with list names replaced by ids.
 * @throws RollcallError `RC_LISTS_UNREADABLE`, `RC_LIST_UNKNOWN`
 */
export async function withListIds(destination: Destination<unknown>, config: unknown, send: Send): Promise<unknown> {
  const names = destination.listNames?.(config) ?? [];
  if (names.length === 0 || destination.lists === undefined || destination.resolveLists === undefined) return config;
  const exchange = destination.lists(config);
  const answer = await send(exchange.request, destination.auth(config), { deadlineMs: 10_000 });
  const read = answer.answered ? exchange.interpret(answer.response) : { ok: false as const, outcome: answer.outcome };
  if (!read.ok) {
    const why = read.outcome.kind === 'delivered' ? 'the answer could not be read' : read.outcome.message;
    throw new RollcallError('RC_LISTS_UNREADABLE', `The lists of ${destination.id} could not be read: ${why}`, {
      hint: 'Check the key and its scope, or name lists by their ids.',
    });
  }
  return destination.resolveLists(config, read.value satisfies readonly RemoteList[]);
}
