import type { Queryable } from '../port.ts';

/**
 * Everything that is held about one person.
 * @param who the id of a user, or an address
 * @returns JSON text, its numbers exact; undefined when nothing is held
 */
export async function readPerson(sql: Queryable, who: string): Promise<string | undefined> {
  const [row] = await sql.query<{ held: string | null }>('select jsonb_pretty(rollcall.export_person($1)) as held', [
    who,
  ]);
  return row?.held ?? undefined;
}
