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
    const { rows } = await client.query<{ url: string; body: Buffer }>(
      `with taken as (select id from public.http_queue order by id limit 200)
       delete from public.http_queue q using taken t where q.id = t.id returning q.url, q.body`,
    );
    await Promise.all(
      rows.map(async ({ url, body }) => {
        const answer = await fetch(sink + url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: 'Bearer key' },
          body: new Uint8Array(body),
        });
        await answer.arrayBuffer();
      }),
    );
    sent += rows.length;
    if (pauseMs > 0 && sent < count) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
