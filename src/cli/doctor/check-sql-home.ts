import { type Check, error, ok } from './finding.ts';

interface Facts {
  /** What `rollcall.test()` says, which can also be asked in the SQL editor; undefined where the home is not deployed. */
  readonly rows: readonly { readonly ok: boolean; readonly what: string; readonly fix: string | null }[] | undefined;
  /** Another home delivers, so that this one stands aside. */
  readonly aside: boolean;
}

/** The SQL home: whether its pump runs, and what stands in its way. */
export const sqlHome: Check<Facts> = {
  area: 'sql home',
  async read({ sql }) {
    const [there] = await sql.query<{ test: boolean }>(`select to_regprocedure('rollcall.test()') is not null as test`);
    if (there?.test !== true) return { rows: undefined, aside: false };
    const [pump] = await sql.query<{ deployed: boolean; aside: boolean }>(
      `select exists (select from rollcall.pump) as deployed, rollcall.others_at_work('sql') as aside`,
    );
    if (pump?.deployed !== true) return { rows: undefined, aside: false };
    const rows = await sql.query<{ ok: boolean; what: string; fix: string | null }>('select * from rollcall.test()');
    return { rows, aside: pump.aside };
  },
  judge({ rows, aside }) {
    if (rows === undefined) return [ok('not deployed')];
    if (aside) return [ok('stands aside, as another home delivers')];
    const wrong = rows.filter((row) => !row.ok);
    if (wrong.length === 0) return [ok(`${rows.length} things looked at, and all is well`)];
    return wrong.map(({ what, fix }) =>
      error('RC_SQL_HOME', `It is not so that ${what}.`, fix ?? 'rollcall deploy sql'),
    );
  },
};
