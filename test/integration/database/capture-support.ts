import type { Installed } from './support.ts';

/** What is in the log: the keys of one of its sources, in order, and captured rows as they are. */
export interface Logged {
  /** By the source's name; `contacts` where the keys are those of contacts. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
  readonly events: readonly CapturedRow[];
  readonly rows: number;
}

export interface CapturedRow {
  readonly source: string;
  readonly o: string;
  readonly k: string | null;
  readonly r: Readonly<Record<string, unknown>>;
  readonly p?: Readonly<Record<string, unknown>> | null;
  readonly raw?: boolean;
}

/** Runs statements of the app and says what they left in the log, which is emptied before. */
export async function logs(one: Installed, ...statements: readonly string[]): Promise<Logged> {
  const { app } = one.db;
  await app.query('truncate rollcall.changes_0, rollcall.changes_1, rollcall.changes_2');
  for (const statement of statements) await app.query(statement);
  return logged(one);
}

/** What is in the log. */
export async function logged(one: Installed): Promise<Logged> {
  const { rows } = await one.db.app.query(
    `select c.source, c.keys, to_jsonb(c.events) as events
       from (table rollcall.changes_0 union all table rollcall.changes_1 union all table rollcall.changes_2) c order by c.xid, c.id`,
  );
  const keys: Record<string, string[]> = {};
  const events: CapturedRow[] = [];
  for (const row of rows as {
    source: string | null;
    keys: string[];
    events: (CapturedRow & { t: string })[] | null;
  }[]) {
    if (row.keys.length > 0) (keys[row.source ?? 'contacts'] ??= []).push(...row.keys);
    for (const { t, ...event } of row.events ?? []) {
      if (Number.isNaN(Date.parse(t))) throw new Error(`no time: ${t}`);
      events.push({ ...event, source: row.source ?? '' });
    }
  }
  for (const list of Object.values(keys)) list.sort();
  return { keys, events, rows: rows.length };
}

/** The keys of contacts that statements left in the log. */
export async function keysOf(one: Installed, ...statements: readonly string[]): Promise<readonly string[]> {
  return (await logs(one, ...statements)).keys['contacts'] ?? [];
}

/** Captured rows as the text they are stored as: a parsed number would be rounded. */
export async function eventTexts(one: Installed, statement: string): Promise<readonly string[]> {
  await logs(one, statement);
  const { rows } = await one.db.app.query(
    `select e.event -> 'r' as r, (e.event -> 'r')::text as text from rollcall.changes_0 c, unnest(c.events) e(event) order by c.id`,
  );
  return rows.map((row) => row.text as string);
}
