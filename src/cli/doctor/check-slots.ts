import { quoteLiteral } from '../../sql/quote.ts';
import { type Check, type Finding, ok, warn } from './finding.ts';

interface Slot {
  readonly name: string;
  readonly active: boolean;
  /** `reserved`, `extended`, `unreserved`, `lost`; null for one that reserves nothing. */
  readonly status: string | null;
  /** WAL that it keeps, in bytes. */
  readonly kept: number;
}

interface Facts {
  readonly slots: readonly Slot[];
  readonly most: number;
}

const MUCH = 1_073_741_824;

/** Replication slots of others: one that nobody reads keeps WAL until the disk is full. */
export const slots: Check<Facts> = {
  area: 'slots',
  async read({ sql }) {
    const found = await sql.query<Slot & { [column: string]: unknown }>(
      `select s.slot_name::text as name, s.active, s.wal_status as status,
              coalesce(case when not pg_is_in_recovery() then pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn) end, 0)::float8 as kept
         from pg_replication_slots s
        where s.slot_name <> 'rollcall_' || (select d.oid from pg_database d where d.datname = current_database()) order by 1`,
    );
    const [row] = await sql.query<{ most: number }>(`select current_setting('max_replication_slots')::int as most`);
    return { slots: found, most: row?.most ?? 0 };
  },
  judge({ slots: found, most }) {
    const findings: Finding[] = found.flatMap(trouble);
    if (findings.length > 0) return findings;
    return [ok(`${found.length} of ${most} in use by others`)];
  },
};

function trouble({ name, active, status, kept }: Slot): readonly Finding[] {
  const fix = `select pg_drop_replication_slot(${quoteLiteral(name)});  -- when nobody needs it any more`;
  const size = `${(kept / MUCH).toFixed(1)} GB`;
  if (status === 'lost' || status === 'unreserved') {
    const means = status === 'lost' ? 'whoever reads it has to begin anew' : 'it will be lost at the next checkpoint';
    return [warn('RC_SLOT_LOST', `The replication slot ${name} is ${status}: ${means}.`, fix)];
  }
  if (active || kept < MUCH) return [];
  return [
    warn(
      'RC_SLOT_KEEPS_WAL',
      `Nobody reads the replication slot ${name}, and it keeps ${size} of WAL: the disk fills up, and then the database takes no writes.`,
      fix,
    ),
  ];
}
