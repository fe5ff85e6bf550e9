import type pg from 'pg';

/** Keys a call while the contacts are made. */
const STEP = 5_000;

/** Users without a trigger that tells of them, each with a profile. */
export async function insertUsers(client: pg.Client, count: number): Promise<void> {
  await client.query('set session_replication_role = replica');
  await client.query(
    `insert into auth.users (id, email, raw_user_meta_data, created_at)
     select gen_random_uuid(), 's' || n || '@example.com', jsonb_build_object('full_name', 'Person ' || n), now()
       from generate_series(1, $1::int) n`,
    [count],
  );
  await client.query(`insert into public.profiles select id, 'free' from auth.users`);
  await client.query('reset session_replication_role');
}

/** As after a fold of everybody and a delivery of each; the fold itself has a bench of its own. */
export async function makeInStep(client: pg.Client): Promise<void> {
  await client.query('truncate rollcall.contacts, rollcall.desired, rollcall.due, rollcall.given');
  // In the order of sign-up, as people come.
  await client.query('insert into rollcall.contacts (key) select id::text from auth.users');
  for (let after = '0'; ;) {
    const { rows } = await client.query<{ last: string | null }>(
      `with page as materialized (select id, key from rollcall.contacts where id > $1 order by id limit ${STEP}),
         written as (insert into rollcall.desired
           (destination_id, contact_id, action, address, payload, consent, hash, version, delivered_version, remote_address, remote_id)
         select d.id, w.contact_id, 'upsert', w.address, w.payload, w.consent, w.hash, 1, 1, w.address, w.key
           from rollcall.destinations d
           cross join lateral unnest(rollcall.wanted_rows(d.id, d.map_function, (select array_agg(key) from page), true)) w)
       select max(id)::text as last from page`,
      [after],
    );
    if (rows[0]?.last == null) break;
    after = rows[0].last;
  }
  await client.query('vacuum analyze');
  await client.query('checkpoint');
}
