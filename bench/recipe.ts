import { once } from 'node:events';
import type pg from 'pg';

/**
 * The baseline: one row trigger that queues one HTTP call for each row, and a worker that makes the calls one row each.
 * `pauseMs` 1000 and batches of 200 are what pg_net does; 0 is the most that this shape can do.
 */
export async function installRecipe(client: pg.Client): Promise<void> {
  await client.query(`
    create unlogged table public.http_queue (id bigserial, url text, headers jsonb, body bytea);
    create function public.recipe() returns trigger language plpgsql security definer as $$
    begin
      insert into public.http_queue (url, headers, body) values ('/api/contacts',
        jsonb_build_object('content-type', 'application/json', 'authorization', 'Bearer key'),
        convert_to(jsonb_build_object('contact', jsonb_build_object('email', new.email,
          'fields', jsonb_build_object('FIRSTNAME', new.raw_user_meta_data ->> 'full_name')))::text, 'UTF8'));
      return new;
    end $$;
    create trigger recipe after insert on auth.users for each row execute function public.recipe()`);
}

/** Drains the queue until `count` calls were made. */
export async function drainRecipe(client: pg.Client, sink: string, count: number, pauseMs: number): Promise<void> {
  for (let sent = 0; sent < count;) {
    sent += await sendBatch(client, sink);
    // After the last one too: it is a pace that is measured.
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** What a worker of pg_net has done. */
export interface PgNet {
  /** Calls that were answered 2xx. */
  readonly accepted: number;
  /** Ends it, once what it has in flight is answered. */
  stop(): Promise<void>;
}

/**
 * pg_net's worker: takes 200 of the queue, a second later the next; each is sent once, whatever the answer, and a crash empties the
 * unlogged queue (pg_net 0.20.4, src/worker.c and sql/pg_net.sql).
 * @param connect makes a connection; it is made again whenever Postgres is back
 */
export function startPgNet(connect: () => Promise<pg.Client>, sink: string): PgNet {
  const stop = new AbortController();
  const state = { accepted: 0 };
  const run = async (): Promise<void> => {
    let client: pg.Client | undefined;
    while (!stop.signal.aborted) {
      try {
        client ??= await connect();
        state.accepted += await sendBatch(client, sink);
      } catch {
        await client?.end().catch(() => undefined);
        client = undefined;
      }
      await once(AbortSignal.any([AbortSignal.timeout(1_000), stop.signal]), 'abort');
    }
    await client?.end().catch(() => undefined);
  };
  const ended = run();
  return {
    get accepted() {
      return state.accepted;
    },
    async stop() {
      stop.abort();
      await ended;
    },
  };
}

/** Takes the next 200 and sends each once. @returns how many were accepted */
async function sendBatch(client: pg.Client, sink: string): Promise<number> {
  const { rows } = await client.query<{ url: string; body: Buffer }>(
    `with taken as (select id from public.http_queue order by id limit 200)
     delete from public.http_queue q using taken t where q.id = t.id returning q.url, q.body`,
  );
  const accepted = await Promise.all(
    rows.map(async ({ url, body }) => {
      const answer = await fetch(sink + url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer key' },
        body: new Uint8Array(body),
      });
      await answer.arrayBuffer();
      return answer.ok;
    }),
  );
  return accepted.filter((ok) => ok).length;
}
