import type pg from 'pg';

/** Size of each table of Rollcall in bytes, with its indexes and what is stored apart. */
export async function tableSizes(client: pg.Client): Promise<ReadonlyMap<string, number>> {
  const { rows } = await client.query<{ name: string; bytes: string }>(
    `select c.relname as name, pg_total_relation_size(c.oid)::text as bytes from pg_catalog.pg_class c
      where c.relnamespace = 'rollcall'::regnamespace and c.relkind = 'r'`,
  );
  return new Map(rows.map(({ name, bytes }) => [name, Number(bytes)]));
}

/** @returns MB */
export function totalMb(sizes: ReadonlyMap<string, number>): number {
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0) / 2 ** 20;
}
