import { isInstalled } from './installed.ts';
import { type Check, error, type Finding, ok } from './finding.ts';

interface Facts {
  readonly installed: boolean;
  /** Of ours, missing or switched off, as `table: trigger`. */
  readonly missing: readonly string[];
  readonly present: number;
  /** Where sessions are told to skip triggers: `role x`, `database y`, `this session`. */
  readonly replica: readonly { readonly where: string; readonly fix: string }[];
}

/** Our own triggers, and what keeps them from running. */
export const triggers: Check<Facts> = {
  area: 'triggers',
  async read({ sql }) {
    const installed = await isInstalled(sql);
    const missing = installed
      ? await sql.query<{ text: string }>(
          `select m.table_name || ': ' || m.trigger_name as text from rollcall.missing_triggers() m order by 1`,
        )
      : [];
    const [there] = await sql.query<{ n: number }>(
      `select count(*)::int as n from pg_trigger t join pg_proc p on p.oid = t.tgfoid join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'rollcall' and not t.tgisinternal and t.tgenabled in ('O', 'A')`,
    );
    const replica = await sql.query<Facts['replica'][number] & { [column: string]: unknown }>(`
      select case when s.setrole = 0 then 'database ' || quote_ident(d.datname) else 'role ' || quote_ident(r.rolname) end as "where",
             format('alter %s reset session_replication_role;',
               case when s.setrole = 0 then 'database ' || quote_ident(d.datname) else 'role ' || quote_ident(r.rolname) end) as fix
        from pg_db_role_setting s cross join lateral unnest(s.setconfig) c(setting)
        left join pg_roles r on r.oid = s.setrole left join pg_database d on d.oid = s.setdatabase
       where c.setting ~ '^session_replication_role=replica' and (s.setdatabase = 0 or d.datname = current_database())
       order by 1`);
    return { installed, missing: missing.map(({ text }) => text), present: there?.n ?? 0, replica };
  },
  judge({ installed, missing, present, replica }) {
    const findings: Finding[] = replica.map(({ where, fix }) =>
      error(
        'RC_REPLICA_ROLE',
        `Sessions of the ${where} run with session_replication_role = replica: no trigger fires there, and what they write is found by a sweep alone.`,
        fix,
      ),
    );
    if (missing.length > 0) {
      findings.push(
        error('RC_TRIGGERS_MISSING', `Triggers are missing, or switched off: ${missing.join(', ')}.`, 'rollcall apply'),
      );
    }
    if (!installed) return [...findings, ok('nothing is installed yet, so there are none')];
    return findings.length > 0 ? findings : [ok(`${present} of ours are there and on`)];
  },
};
