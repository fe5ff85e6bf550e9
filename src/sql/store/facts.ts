import { lastMomentOfNo } from '../../core/inbound.ts';
import type { FactStore } from '../../inbound/ports.ts';
import type { Queryable } from '../port.ts';
import type { Identity } from './identity.ts';
import { retryConflict } from './retry-conflict.ts';
import { storable } from './storable.ts';

/** The ledger over Postgres. A copy of the database takes nothing: see `check_install`. */
export function factStore(sql: Queryable, { configHash, projectRef, environment, erasureKey }: Identity): FactStore {
  return {
    async receive(destination, facts) {
      const rows = facts.map(({ id, kind, address, at, event }) => {
        const last = lastMomentOfNo({ kind, at });
        return { id: storable(id), kind, address: storable(address), at: last, proof: { event } };
      });
      await retryConflict(() =>
        sql.query(`select rollcall.check_install($1, $2, $3), rollcall.receive_facts(rollcall.with_key($4, $6), $5)`, [
          configHash,
          projectRef,
          environment,
          destination,
          JSON.stringify(rows),
          erasureKey ?? null,
        ]),
      );
    },
    async beginPull(destination, everyMs, holdMs) {
      const [row] = await sql.query<{ mine: boolean }>(
        `select rollcall.begin_pull($1, $2::bigint * interval '1 millisecond', $3::bigint * interval '1 millisecond') as mine
           from rollcall.check_install($4, $5, $6)`,
        [destination, Math.round(everyMs), Math.round(holdMs), configHash, projectRef, environment],
      );
      return row?.mine === true;
    },
    async writeBack(most) {
      const [row] = await retryConflict(() =>
        sql.query<{ failed: number; code: string | null; more: boolean }>(
          `select w.failed, w.code, w.more from rollcall.check_install($1, $2, $3), rollcall.write_back($4) w`,
          [configHash, projectRef, environment, most],
        ),
      );
      return row ?? { failed: 0, code: null, more: false };
    },
    async notePull(destination, ended, holdMs) {
      await sql.query(`select rollcall.note_pull($1, $2, $3::bigint * interval '1 millisecond')`, [
        destination,
        ended,
        Math.round(holdMs),
      ]);
    },
  };
}
