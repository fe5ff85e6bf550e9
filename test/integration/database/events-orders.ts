import { attribute } from '../../support/config.ts';
import { column, type Events, eventSource, eventsDatabase, type ReadEvent } from './events-support.ts';

export const USER = '6f1c1bd0-0000-4000-8000-000000000001';
export const SOURCE = 'public.orders';

/** A captured row of `orders`, made by hand. */
export function row(
  id: number,
  more: Readonly<Record<string, unknown>> = {},
  t = '2026-01-01T00:00:00Z',
  o = 'insert',
): object {
  return { o, k: String(id), t, r: { id, user_id: USER, v: 'x', ...more } };
}

/** A table of events, `orders`, with the operations given. */
export async function orders(operations: readonly ('insert' | 'update' | 'delete')[] = ['insert']): Promise<Events> {
  const on = await eventsDatabase();
  await on.app.query('create table public.orders (id int primary key, user_id uuid, v text)');
  const table = await on.table('orders');
  await on.install(
    eventSource(
      table,
      { user: column(table, 'user_id') },
      { name: 'order', operations, properties: [attribute('ID', 'id'), attribute('V', 'v')] },
    ),
  );
  return on;
}

export const ids = (events: readonly ReadEvent[]): unknown[] => events.map((e) => JSON.parse(e.properties ?? '{}').ID);
