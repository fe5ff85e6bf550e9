import { isJsonObject, parseJson } from '../../core/json.ts';
import type { ConsentState } from '../../core/mapping.ts';
import type { Delivery } from '../../core/destination.ts';
import type { JobLease, JobResult, JobStore, OrphanJob } from '../../engine/job-ports.ts';
import type { Queryable } from '../port.ts';
import { listsOf } from './claim.ts';
import type { Identity } from './identity.ts';
import { retryConflict } from './retry-conflict.ts';
import { noteSetBack, type Position } from './position.ts';
import { storable } from './storable.ts';

/** The part of the store that requests for many contacts use. */
export function jobStore(
  sql: Queryable,
  { configHash, projectRef, environment }: Identity,
  position?: Pick<Position, 'lsn' | 'boundAt'>,
): JobStore {
  // Asked of whatever leads to a request.
  const who = (): readonly unknown[] => [
    configHash,
    projectRef,
    environment,
    position?.lsn ?? null,
    position?.boundAt ?? null,
  ];
  const note = async (
    { token, holder, holdMs }: JobLease,
    state: string | null,
    remoteId: string | null,
    result: object | null,
  ) => {
    const [row] = await sql.query<{ held: boolean | null }>(
      `select rollcall.note_job($1, $2, $3, $4, $5, $6::int * interval '1 millisecond') as held`,
      [token, holder, state, remoteId, result === null ? null : JSON.stringify(result), holdMs],
    );
    return row?.held === true;
  };
  return {
    async lookAtJobs(destination, most, backMs) {
      const [row] = await sql.query<LookRow>(
        `select * from rollcall.look_at_jobs($1, $2, $3::int * interval '1 millisecond')`,
        [destination, most, backMs ?? null],
      );
      return {
        lanes: [
          { waiting: row?.live ?? 0, oldestMs: Number(row?.live_ms ?? 0), growing: false },
          { waiting: row?.backfill ?? 0, oldestMs: Number(row?.backfill_ms ?? 0), growing: row?.growing ?? false },
        ],
        atWork: row?.at_work ?? 0,
        orphan: row?.orphan ?? false,
      };
    },
    async claimJob(destination, { token, holder, holdMs }, scope) {
      const rows = await noteSetBack(sql, () =>
        sql.query<JobRow>(
          `select * from rollcall.claim_job($1, $2, $3, $4, $5, $6, $7::text[], $8, $9::int * interval '1 millisecond',
           $10::int * interval '1 millisecond', $11, $12, $13, $14, $15)`,
          [
            destination,
            token,
            holder,
            scope.lane,
            scope.most,
            scope.mostBytes,
            scope.consents,
            scope.atOnce,
            holdMs,
            scope.jobMs,
            ...who(),
          ],
        ),
      );
      return rows.map(toDelivery);
    },
    async adoptJob(destination, holder, holdMs) {
      const [row] = await noteSetBack(sql, () =>
        sql.query<OrphanRow>(
          `select * from rollcall.adopt_job($1, $2, $3::int * interval '1 millisecond', $4, $5, $6, $7, $8)`,
          [destination, holder, holdMs, ...who()],
        ),
      );
      return row === undefined
        ? undefined
        : {
            token: row.token,
            state: row.state,
            remoteId: row.remote_id,
            contacts: row.contacts,
            givesUpInMs: Number(row.gives_up_in_ms),
            begunMsAgo: Number(row.begun_ms_ago),
          };
    },
    jobSending: (lease) => note(lease, 'sending', null, null),
    jobRunning: (lease, remoteId) => note(lease, 'running', remoteId, null),
    jobEnded: (lease, result) => note(lease, 'ended', null, toResult(result)),
    holdJob: (lease) => note(lease, null, null, null),
    async releaseJob({ token, holder }, { waitMs, failed, single, windowMs, doubtMs }) {
      await retryConflict(() =>
        sql.query(
          `select rollcall.release_job($1, $2, $3::int * interval '1 millisecond', $4, $5, $6::bigint * interval '1 millisecond',
             $7::bigint * interval '1 millisecond')`,
          [token, holder, Math.round(waitMs), failed, single, windowMs ?? null, doubtMs ?? null],
        ),
      );
    },
    async releasePart({ token, holder }, contacts) {
      await retryConflict(() =>
        sql.query(`select rollcall.release_part($1, $2, $3::bigint[])`, [token, holder, contacts]),
      );
    },
    async settlePart({ token, holder }, graceMs, refused) {
      const results = refused.map(({ delivery, outcome, waitMs, windowMs }) => ({
        ...toResult({ outcome, waitMs, windowMs, latencyMs: 0 }),
        contact: delivery.contactId,
        version: delivery.version,
        action: delivery.action,
        address: delivery.address,
      }));
      await retryConflict(() =>
        sql.query(`select rollcall.settle_part($1, $2, $3::int * interval '1 millisecond', $4)`, [
          token,
          holder,
          graceMs,
          JSON.stringify(results),
        ]),
      );
    },
    async settleJob({ token, holder, holdMs }, graceMs, limit) {
      const [row] = await retryConflict(() =>
        sql.query<{ remaining: number }>(
          `select rollcall.settle_job($1, $2, $3::int * interval '1 millisecond', $4, $5::int * interval '1 millisecond') as remaining`,
          [token, holder, graceMs, limit, holdMs],
        ),
      );
      return row?.remaining ?? 0;
    },
  };
}

interface LookRow {
  readonly [column: string]: unknown;
  readonly live: number;
  readonly live_ms: string;
  readonly backfill: number;
  readonly backfill_ms: string;
  readonly at_work: number;
  readonly growing: boolean;
  readonly orphan: boolean;
}

interface JobRow {
  readonly [column: string]: unknown;
  readonly contact_id: string;
  readonly version: string;
  readonly address: string;
  readonly payload: string;
  readonly consent: ConsentState;
  readonly imported: boolean;
  readonly met: boolean;
  /** As in a claim. */
  readonly lists?: string | null;
}

interface OrphanRow {
  readonly [column: string]: unknown;
  readonly token: string;
  readonly state: OrphanJob['state'];
  readonly remote_id: string | null;
  readonly contacts: number;
  readonly gives_up_in_ms: string;
  readonly begun_ms_ago: string;
}

function toDelivery(row: JobRow): Delivery {
  const payload = parseJson(row.payload);
  return {
    contactId: row.contact_id,
    version: row.version,
    action: 'upsert',
    address: row.address,
    // Where it stands already: whatever else is known of it, it would not have been leased for a job.
    remote: remoteOf(row),
    attributes: isJsonObject(payload) ? payload : {},
    takeover: false,
    consent: row.consent,
    lists: listsOf(row.lists),
  };
}

function remoteOf({ address, imported, met }: JobRow): Delivery['remote'] {
  if (met) return { address, id: null, met };
  return imported ? { address, id: null, imported } : null;
}

function toResult({ outcome, waitMs, latencyMs, windowMs }: JobResult): object {
  const failed = outcome.kind === 'delivered' ? undefined : outcome;
  return {
    outcome: outcome.kind,
    code: failed?.code,
    field: failed?.field,
    message: failed === undefined ? undefined : storable(failed.message),
    wait_ms: Math.round(waitMs),
    window_ms: windowMs,
    latency_ms: Math.round(latencyMs),
  };
}
