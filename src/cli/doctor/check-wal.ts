import { RollcallError } from '../../core/errors.ts';
import type { WalGauges } from '../../core/gauges.ts';
import { checkReplication } from '../../sources/wal/check.ts';
import { walLine, walProblems } from '../status-wal.ts';
import { isInstalled } from './installed.ts';
import { type Check, error, type Finding, ok, warn } from './finding.ts';

interface Facts {
  /** Why no connection for replication can be opened; null where one can. */
  readonly refused: { readonly code: string; readonly message: string; readonly hint: string } | null;
  readonly level: string;
  /** Slots of the server that are not in use. */
  readonly free: number;
  /** What a slot may keep, in MB; -1 for as much as there is. */
  readonly mostMb: number;
  readonly wal: WalGauges | null;
}

/** What reading the write-ahead log depends on; undefined facts where the config does not want it and nothing is left of it. */
export const wal: Check<Facts | undefined> = {
  area: 'wal',
  async read({ sql, config }) {
    const [known] = (await isInstalled(sql))
      ? await sql.query<{ wal: WalGauges | null }>(`select rollcall.status() -> 'wal' as wal`)
      : [];
    const found = known?.wal ?? null;
    if (config.capture !== 'wal' && found === null) return undefined;
    const [server] = await sql.query<{ level: string; free: number; most: number }>(
      `select current_setting('wal_level') as level,
              current_setting('max_replication_slots')::int - (select count(*)::int from pg_replication_slots) as free,
              (select s.setting::int from pg_settings s where s.name = 'max_slot_wal_keep_size') as most`,
    );
    let refused: Facts['refused'] = null;
    try {
      await checkReplication(config);
    } catch (cause) {
      if (!(cause instanceof RollcallError)) throw cause;
      refused = { code: cause.code, message: cause.message, hint: cause.hint ?? '' };
    }
    return { refused, level: server?.level ?? '', free: server?.free ?? 0, mostMb: server?.most ?? -1, wal: found };
  },
  judge(facts) {
    if (facts === undefined) return [];
    const { refused, level, free, mostMb, wal: found } = facts;
    const findings: Finding[] = [];
    if (level !== 'logical') {
      const what = `wal_level is ${level}, and capture: wal needs logical.`;
      findings.push(error('RC_WAL_LEVEL', what, 'alter system set wal_level = logical;  -- and restart the server'));
    }
    if (refused !== null) findings.push(error(refused.code, refused.message, refused.hint));
    if (found?.slot == null && free < 1) {
      const what = 'All replication slots of the server are in use.';
      findings.push(
        error(
          'RC_WAL_NO_SLOT',
          what,
          'alter system set max_replication_slots = 10;  -- and restart the server, or drop one',
        ),
      );
    }
    if (mostMb === -1) {
      const what = 'A slot that no worker reads may keep WAL until the disk is full.';
      findings.push(
        warn('RC_WAL_UNBOUNDED', what, `alter system set max_slot_wal_keep_size = '4GB'; select pg_reload_conf();`),
      );
    }
    for (const { code, message, hint } of walProblems(found)) findings.push(warn(code, message, hint));
    return findings.length > 0 ? findings : [ok(walLine(found) ?? 'a worker can read it')];
  },
};
