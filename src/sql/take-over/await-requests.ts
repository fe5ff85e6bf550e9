import { RollcallError } from '../../core/errors.ts';
import type { Queryable } from '../port.ts';

/** How a wait goes on; every time is in ms. */
export interface Waiting {
  readonly pause: (ms: number) => Promise<void>;
  /** Told how many are still to go out. */
  readonly onLeft?: (n: number) => void;
  /** The queue counts as stuck when nothing left it for so long. */
  readonly stalledMs?: number;
}

const LOOK_MS = 250;
const STALLED_MS = 30_000;

/**
 * Waits until pg_net has sent what a recipe had put into its queue, and has the answers: a row leaves the queue in the transaction that
 * records its answer. One that went out after our own would bring back older values, and one that is waited for is not sent again.
 * @param urls beginnings of its URLs; with none, whatever is in the queue now is waited for
 * @returns how many there were
 * @throws RollcallError `RC_RECIPE_QUEUE` when nothing leaves the queue
 */
export async function awaitRequests(sql: Queryable, urls: readonly string[], waiting: Waiting): Promise<number> {
  const [there] = await sql.query<{ there: boolean }>(
    `select to_regclass('net.http_request_queue') is not null as there`,
  );
  if (there?.there !== true) return 0;
  const [last] = await sql.query<{ id: string }>(
    'select coalesce(max(q.id), 0)::text as id from net.http_request_queue q',
  );
  const left = async (): Promise<number> => {
    const [row] = await sql.query<{ n: number }>(
      `select count(*)::int as n from net.http_request_queue q
        where q.id <= $1::bigint and (cardinality($2::text[]) = 0 or exists (select from unnest($2::text[]) u(url) where starts_with(q.url, u.url)))`,
      [last?.id ?? '0', urls],
    );
    return row?.n ?? 0;
  };
  const first = await left();
  let [n, movedAt] = [first, performance.now()];
  while (n > 0) {
    waiting.onLeft?.(n);
    await waiting.pause(LOOK_MS);
    const now = await left();
    if (now < n) movedAt = performance.now();
    n = now;
    if (n > 0 && performance.now() - movedAt > (waiting.stalledMs ?? STALLED_MS)) throw stuck(n);
  }
  return first;
}

function stuck(n: number): RollcallError {
  return new RollcallError(
    'RC_RECIPE_QUEUE',
    `The recipe is switched off, and ${n} of its requests wait in net.http_request_queue: nothing leaves it.`,
    {
      hint: 'Start the worker of pg_net (`select net.worker_restart();`) and run this again; or remove them (`delete from net.http_request_queue`): Rollcall sends those people by itself.',
    },
  );
}
