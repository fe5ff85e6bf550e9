import type pg from 'pg';
import { Pool } from 'undici';
import type { Sink } from './sink.ts';

const IN_FLIGHT = 50;
const BATCH = 500;
const TOGETHER = 1_000;

/**
 * What this machine can do at all: keys captured by a statement trigger, taken in batches with their rows, and sent. No identity,
 * mapping, hash, consent or state, and what is in flight is lost with the process.
 */
export async function installLimit(client: pg.Client): Promise<void> {
  await client.query(`
    create table public.outbox (id bigint generated always as identity primary key, user_id uuid not null);
    create function public.capture() returns trigger language plpgsql as $$
    begin
      insert into public.outbox (user_id) select n.id from new_rows n;
      return null;
    end $$;
    create trigger capture after insert on auth.users referencing new table as new_rows
      for each statement execute function public.capture()`);
}

interface Row {
  readonly email: string;
  readonly name: string;
}

/** Sends what the trigger captured, one call each or a thousand in one, until `count` are accepted. */
export async function drainLimit(client: pg.Client, sink: Sink, count: number, together: boolean): Promise<void> {
  const pool = new Pool(sink.url, { connections: IN_FLIGHT });
  const send = async (path: string, body: unknown): Promise<void> => {
    const { body: answer } = await pool.request({
      path,
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer key' },
      body: JSON.stringify(body),
    });
    await answer.dump();
  };
  const contact = ({ email, name }: Row): object => ({ email, fields: { FIRSTNAME: name } });
  let next = take(client, together ? TOGETHER : BATCH);
  for (let sent = 0; sent < count;) {
    const rows = await next;
    sent += rows.length;
    // The next are read while these are sent.
    if (sent < count) next = take(client, together ? TOGETHER : BATCH);
    if (together) await send('/api/contacts/imports', { contacts: rows.map(contact) });
    else await Promise.all(rows.map((row) => send('/api/contacts', { contact: contact(row) })));
  }
  await pool.close();
}

async function take(client: pg.Client, most: number): Promise<readonly Row[]> {
  const { rows } = await client.query<Row>(
    `with taken as (
       delete from public.outbox where id = any(array(select id from public.outbox order by id limit $1 for update skip locked))
       returning user_id
     )
     select u.email, u.raw_user_meta_data ->> 'full_name' as name from taken t join auth.users u on u.id = t.user_id`,
    [most],
  );
  return rows;
}
