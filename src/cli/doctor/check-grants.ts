import { type Check, error, type Finding, ok, warn } from './finding.ts';

interface Facts {
  /** Rights that roles other than the owner have in the schema rollcall. */
  readonly grants: readonly { readonly role: string; readonly what: string; readonly kind: string }[];
  /** Roles of the config's consent_readers that may not ask. */
  readonly unable: readonly string[];
  /** The Data API shows the schema. */
  readonly exposed: boolean;
}

/** What everybody may have who asks whom they may email. */
const READERS: ReadonlySet<string> = new Set(['rollcall', 'can_email', 'consent_of', 'consent_now']);
const API: ReadonlySet<string> = new Set(['public', 'anon', 'authenticated', 'service_role']);

/** Who else may reach what is ours. */
export const grants: Check<Facts> = {
  area: 'grants',
  async read({ sql, config }) {
    const found = await sql.query<Facts['grants'][number] & { [column: string]: unknown }>(`
      select distinct case when a.grantee = 0 then 'public' else a.grantee::regrole::text end as role, x.what, x.kind from (
        select 'schema' as kind, n.nspname::text as what, n.nspacl as acl, n.nspowner as owner from pg_namespace n where n.nspname = 'rollcall'
        union all select case c.relkind when 'S' then 'sequence' else 'table' end, c.relname::text, c.relacl, c.relowner from pg_class c
          join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'rollcall'
        union all select 'routine', p.proname::text, coalesce(p.proacl, acldefault('f', p.proowner)), p.proowner from pg_proc p
          join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'rollcall') x
        cross join lateral aclexplode(x.acl) a
       where a.grantee <> x.owner order by 1, 3, 2`);
    const unable = await sql.query<{ role: string }>(
      `select r.name as role from unnest($1::text[]) as r(name)
        where to_regprocedure('rollcall.can_email(uuid, text)') is not null
          and not coalesce((select has_schema_privilege(o.oid, 'rollcall', 'usage')
                and has_function_privilege(o.oid, 'rollcall.can_email(uuid, text)', 'execute') from pg_roles o where o.rolname = r.name), false)`,
      [config.consentReaders],
    );
    const [exposed] = await sql.query<{ exposed: boolean }>(
      `select exists (select from pg_db_role_setting s cross join lateral unnest(s.setconfig) c(setting)
         where c.setting ~ '^pgrst\\.db_schemas=' and c.setting ~ '\\mrollcall\\M') as exposed`,
    );
    return { grants: found, unable: unable.map((row) => row.role), exposed: exposed?.exposed === true };
  },
  judge({ grants: found, unable, exposed }, { consentReaders }) {
    const findings: Finding[] = [];
    const wrong = found.filter(
      ({ role, what }) => API.has(role) && !(consentReaders.includes(role) && READERS.has(what)),
    );
    for (const role of new Set(wrong.map((each) => each.role))) {
      const of = wrong.filter((each) => each.role === role);
      const some = of.slice(0, 3).map(({ kind, what }) => `${kind} ${what}`);
      findings.push(
        error(
          'RC_GRANTS_TOO_MANY',
          `${role} has rights on ${some.join(', ')}${of.length > 3 ? ` and ${of.length - 3} more` : ''} of ours.`,
          ['tables', 'sequences', 'routines']
            .map((kind) => `revoke all on all ${kind} in schema rollcall from ${role};`)
            .concat(`revoke all on schema rollcall from ${role};  -- then \`rollcall apply\``)
            .join(' '),
        ),
      );
    }
    const others = new Set(
      found.map(({ role }) => role).filter((role) => !API.has(role) && !consentReaders.includes(role)),
    );
    if (others.size > 0) {
      findings.push(ok(`${[...others].join(', ')}: has rights in the schema rollcall that somebody gave by hand`));
    }
    for (const role of unable) {
      findings.push(
        error(
          'RC_GRANTS_MISSING',
          `consent_readers names ${role}, who may not call rollcall.can_email: since 30 Oct 2026 projects give no rights by themselves.`,
          'rollcall apply',
        ),
      );
    }
    if (exposed) {
      findings.push(
        warn(
          'RC_SCHEMA_EXPOSED',
          'The Data API shows the schema rollcall.',
          'Take it out of the exposed schemas (dashboard, Data API): nothing of ours is called that way.',
        ),
      );
    }
    return findings.length > 0 ? findings : [ok('nobody but the owner has rights in the schema rollcall')];
  },
};
