import type { Client } from 'pg';

/** Everything that a dump of the database would hold of every schema but the app's own, one line a row. Sequences hold numbers alone. */
export async function dumpOf(db: Client, but: readonly string[] = ['auth', 'public', 'vault']): Promise<string> {
  const { rows: tables } = await db.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'm', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname <> all($1)
      order by 1`,
    [but],
  );
  const lines: string[] = [];
  for (const { name } of tables) {
    const { rows } = await db.query<{ line: string }>(
      `select t::text || ' ' || to_jsonb(t)::text as line from ${name} t`,
    );
    lines.push(...rows.map(({ line }) => `${name} ${line}`));
  }
  return lines.join('\n');
}

/** Which of the texts a dump holds, in any case, also as JSON and as a path would have them. */
export function foundIn(dump: string, texts: readonly string[]): string[] {
  const all = dump.toLowerCase();
  return texts.filter((text) =>
    [text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text), text.replaceAll('@', '%40')].some((form) =>
      all.includes(form.toLowerCase()),
    ),
  );
}
