import { MIGRATIONS } from '../../sql/install-script.ts';
import { readStatus, type ReadStatus } from '../read-status.ts';
import { problemsOf } from '../status-problems.ts';
import { isInstalled } from './installed.ts';
import { type Check, error, type Finding, ok, warn } from './finding.ts';

interface Facts {
  /** Undefined without an install. */
  readonly read: ReadStatus | undefined;
  /** Migrations of this version that have not run, as `14 homes`. */
  readonly behind: readonly string[];
  /** Migrations that a later version has run. */
  readonly ahead: readonly number[];
  /** There is a scheduler that could wake a home inside the project. */
  readonly cron: boolean;
}

/** Checked by `triggers` already. */
const ELSEWHERE: ReadonlySet<string> = new Set(['RC_TRIGGERS_MISSING']);

/** The install: everything that `rollcall status` finds, its version, and who delivers. */
export const state: Check<Facts> = {
  area: 'install',
  async read({ sql, config }) {
    if (!(await isInstalled(sql))) return { read: undefined, behind: [], ahead: [], cron: false };
    const rows = await sql.query<{ version: number }>('select version from rollcall.migrations');
    const ran = new Set(rows.map(({ version }) => version));
    const [there] = await sql.query<{ cron: boolean }>(`select to_regclass('cron.job') is not null as cron`);
    const behind = MIGRATIONS.filter(({ version }) => !ran.has(version)).map(
      ({ version, name }) => `${version} ${name}`,
    );
    return {
      // What an older version answers may lack what this one asks for.
      read: behind.length > 0 ? undefined : await readStatus(sql, config),
      behind,
      ahead: [...ran].filter((version) => MIGRATIONS.every((known) => known.version !== version)),
      cron: there?.cron === true,
    };
  },
  judge({ read, behind, ahead, cron }, config) {
    if (ahead.length > 0) {
      return [
        error(
          'RC_INSTALL_NEWER',
          `A later version of Rollcall is installed (migration ${ahead.join(', ')} is not known to this one).`,
          'npm install rollcall@latest',
        ),
      ];
    }
    if (behind.length > 0) {
      return [
        error('RC_INSTALL_OLDER', `An earlier version is installed: it lacks ${behind.join(', ')}.`, 'rollcall apply'),
      ];
    }
    if (read === undefined) {
      return [error('RC_NOT_INSTALLED', 'Rollcall is not installed in this database.', 'rollcall apply')];
    }
    const { status, refusals } = read;
    const findings: Finding[] = problemsOf(status, refusals, config.sweep.everyMs)
      .filter(({ code }) => !ELSEWHERE.has(code))
      .map(({ code, message, hint }) => error(code, message, hint));
    findings.push(...homes(status.homes ?? [], cron));
    if (findings.some(({ severity }) => severity !== 'ok')) return findings;
    return [ok(`of this version, bound to ${status.project ?? ''}, with this config`), ...findings];
  },
};

function homes(all: NonNullable<ReadStatus['status']['homes']>, cron: boolean): readonly Finding[] {
  const atWork = all.filter((each) => each.at_work).map(({ home }) => home);
  if (atWork.length > 0) return [ok(`delivered by ${atWork.join(' and ')}`)];
  const [last] = all;
  const fix = last === undefined || last.home === 'worker' ? 'rollcall start' : `rollcall deploy ${last.home}`;
  if (last !== undefined && last.home !== 'worker' && !cron) {
    return [
      error(
        'RC_NOBODY_DELIVERS',
        `The ${last.home} home delivered here, and there is no pg_cron to wake it.`,
        `create extension if not exists pg_cron;  -- then \`${fix}\``,
      ),
    ];
  }
  return [warn('RC_NOBODY_DELIVERS', 'No home is at work, so nothing is delivered.', fix)];
}
