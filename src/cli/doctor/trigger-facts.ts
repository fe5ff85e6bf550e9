import type { Sql } from '../../sql/port.ts';

/** A trigger that is not ours, and what it runs. */
export interface ForeignTrigger {
  readonly oid: number;
  /** `schema.table`, quoted where it has to be. */
  readonly table: string;
  /** As it stands in the catalog. */
  readonly name: string;
  /** Insert, update, delete, truncate. */
  readonly events: readonly string[];
  readonly enabled: boolean;
  /** It has `WHEN (false)`: it is there and never runs. */
  readonly silenced: boolean;
  /** `schema.function`, quoted where it has to be. */
  readonly function: string;
  readonly owner: string;
  readonly language: string;
  readonly definer: boolean;
  readonly searchPath: boolean;
  readonly body: string;
  /** Bodies of functions that its own one calls and that send requests. */
  readonly callees: readonly string[];
  /** What it passes to the function; may hold secrets. */
  readonly args: readonly string[];
  /** As `pg_get_triggerdef` writes it; may hold secrets. */
  readonly definition: string;
}

/** Everything but constraints' own triggers, those of partitions (their parent's is listed) and ours. */
const TRIGGERS = `
  with senders as (
    select p.oid, n.nspname, p.proname, p.prosrc from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname not in ('pg_catalog', 'information_schema', 'net', 'extensions', 'rollcall', 'supabase_functions')
       and p.prosrc ~* '\\mhttp_(?:post|get|put|patch|delete)\\M|\\mhttp_request\\M|\\mhttp\\s*\\(')
  select t.oid::int as oid, quote_ident(cn.nspname) || '.' || quote_ident(c.relname) as "table", t.tgname::text as name,
         array_remove(array[case when t.tgtype & 4 > 0 then 'insert' end, case when t.tgtype & 16 > 0 then 'update' end,
           case when t.tgtype & 8 > 0 then 'delete' end, case when t.tgtype & 32 > 0 then 'truncate' end], null) as events,
         t.tgenabled in ('O', 'A') as enabled,
         quote_ident(n.nspname) || '.' || quote_ident(p.proname) as function, p.proowner::regrole::text as owner, l.lanname::text as language,
         p.prosecdef as definer,
         exists (select from unnest(p.proconfig) s where s like 'search_path=%') as "searchPath",
         p.prosrc as body,
         array(select s.prosrc from senders s where s.oid <> p.oid and p.prosrc ~* ('\\m' || s.proname || '\\s*\\(')) as callees,
         encode(t.tgargs, 'hex') as args, pg_get_triggerdef(t.oid) as definition
    from pg_trigger t
    join pg_class c on c.oid = t.tgrelid
    join pg_namespace cn on cn.oid = c.relnamespace
    join pg_proc p on p.oid = t.tgfoid
    join pg_namespace n on n.oid = p.pronamespace
    join pg_language l on l.oid = p.prolang
   where not t.tgisinternal and t.tgparentid = 0 and n.nspname <> 'rollcall' and cn.nspname not in ('pg_catalog', 'information_schema')
   order by 2, 3`;

type Row = Omit<ForeignTrigger, 'args' | 'silenced'> & { readonly args: string; readonly [column: string]: unknown };

/** Reads the triggers of all tables but our own. */
export async function readForeignTriggers(sql: Sql): Promise<readonly ForeignTrigger[]> {
  const rows = await sql.transaction(async (tx) => {
    // Definitions name everything by its schema then, and can be run again anywhere.
    await tx.script(`set local search_path = ''`);
    return tx.query<Row>(TRIGGERS);
  });
  return rows.map(({ args, ...row }) => ({ ...row, args: argsOf(args), silenced: isSilenced(row.definition) }));
}

/** The catalog keeps a trigger's arguments one after the other, each with a zero byte behind it. */
function argsOf(hex: string): readonly string[] {
  return Buffer.from(hex, 'hex').toString('utf8').split('\0').slice(0, -1);
}

function isSilenced(definition: string): boolean {
  return /^[^']* WHEN \(false\) EXECUTE FUNCTION /.test(definition);
}
