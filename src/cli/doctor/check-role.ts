import { type Check, error, type Finding, ok } from './finding.ts';

interface Facts {
  readonly role: string;
  readonly superuser: boolean;
  readonly users: boolean;
  readonly usage: boolean;
  readonly read: boolean;
  readonly trigger: boolean;
  /** Row security of auth.users hides rows from it. */
  readonly hidden: boolean;
  readonly create: boolean;
  readonly database: string;
  /** Who owns the schema rollcall; null without one. */
  readonly owner: string | null;
  readonly owns: boolean;
}

/** What the role of the config may do. */
export const role: Check<Facts> = {
  area: 'role',
  async read({ sql }) {
    const [row] = await sql.query<Facts & { [column: string]: unknown }>(`
      select quote_ident(current_user) as role, r.rolsuper as superuser, u.oid is not null as users,
             coalesce(has_schema_privilege(n.oid, 'usage'), false) as usage,
             coalesce(has_table_privilege(u.oid, 'select'), false) as read, coalesce(has_table_privilege(u.oid, 'trigger'), false) as trigger,
             coalesce(u.oid is not null and has_table_privilege(u.oid, 'select') and row_security_active(u.oid), false) as hidden,
             has_database_privilege(current_database(), 'create') as create, quote_ident(current_database()) as database,
             quote_ident(o.rolname) as owner, coalesce(pg_has_role(o.oid, 'usage'), false) as owns
        from pg_roles r
        left join pg_namespace n on n.nspname = 'auth'
        left join pg_class u on u.relnamespace = n.oid and u.relname = 'users'
        left join pg_namespace s on s.nspname = 'rollcall' left join pg_roles o on o.oid = s.nspowner
       where r.rolname = current_user`);
    if (row === undefined) throw new Error('the role of this session is not in pg_roles');
    return row;
  },
  judge(facts) {
    const { role: name } = facts;
    const findings: Finding[] = [];
    const lacks = (right: string, fix: string): void =>
      void findings.push(error('RC_ROLE_RIGHTS', `The role ${name} lacks ${right}.`, fix));
    if (!facts.users) {
      findings.push(
        error(
          'RC_NO_AUTH_USERS',
          'This database has no table auth.users.',
          'Use the database of a Supabase project (dashboard, Connect).',
        ),
      );
    } else {
      const missing = [...(facts.read ? [] : ['select']), ...(facts.trigger ? [] : ['trigger'])];
      if (!facts.usage) lacks('USAGE on the schema auth', `grant usage on schema auth to ${name};`);
      if (missing.length > 0) {
        const right = missing.map((each) => each.toUpperCase()).join(' and ');
        lacks(`${right} on auth.users`, `grant ${missing.join(', ')} on auth.users to ${name};`);
      }
      if (facts.hidden) {
        findings.push(
          error(
            'RC_ROLE_ROW_SECURITY',
            `Row security of auth.users hides rows from ${name}: reads of it fail rather than miss anybody.`,
            `alter role ${name} bypassrls;`,
          ),
        );
      }
    }
    if (facts.owner === null && !facts.create) {
      lacks(`CREATE on the database ${facts.database}`, `grant create on database ${facts.database} to ${name};`);
    }
    if (facts.owner !== null && !facts.owns) {
      findings.push(
        error(
          'RC_ROLE_OWNER',
          `The schema rollcall belongs to ${facts.owner}, and this is ${name}, who may not use or change it.`,
          `Use ${facts.owner} in database_url, or: grant ${facts.owner} to ${name};`,
        ),
      );
    }
    if (findings.length > 0) return findings;
    return [ok(`${name} may do all that is needed${facts.superuser ? ', and more: it is a superuser' : ''}`)];
  },
};
