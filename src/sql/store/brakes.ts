import type { StoppedBrake } from '../../engine/ports.ts';
import type { Queryable } from '../port.ts';
import { retryConflict } from './retry-conflict.ts';

/** One brake of one destination. */
export interface BrakeState {
  readonly destination: string;
  readonly kind: 'deletes' | 'changes';
  /** Null: off. */
  readonly share: number | null;
  readonly least: number;
  readonly stopped_at: string | null;
  readonly held: number;
  /** How many passed and were counted in the last hour. */
  readonly passed: number;
  /** So many pass uncounted until then. */
  readonly allowance: number;
  readonly allowance_until: string | null;
}

/** Every brake of every destination, deletes first. */
export async function readBrakes(sql: Queryable): Promise<readonly BrakeState[]> {
  const [row] = await sql.query<{ brakes: readonly BrakeState[] }>(
    `select coalesce(jsonb_agg(jsonb_build_object('destination', b.destination, 'kind', b.kind, 'share', b.share, 'least', b.at_least,
       'stopped_at', b.stopped_at, 'held', b.held, 'passed', b.passed, 'allowance', b.allowance, 'allowance_until', b.allowance_until)
       order by b.destination_id, b.kind desc), '[]') as brakes from rollcall.brake_states() b`,
  );
  return row?.brakes ?? [];
}

/** Those that hold somebody. */
export async function stoppedBrakes(sql: Queryable): Promise<readonly StoppedBrake[]> {
  return await sql.query<StoppedBrake & Record<string, unknown>>(
    `select * from (
       select d.name as destination, b.kind, (select count(*)::int from rollcall.due q
                where q.queue = d.id * 4 + case b.kind when 'deletes' then 2 else 3 end) as held
         from rollcall.brakes b join rollcall.destinations d on d.id = b.destination_id
        where d.enabled and b.stopped_at is not null order by d.id, b.kind desc) x where x.held > 0`,
  );
}

/** Lets out the `n` oldest of what a brake holds; what is left of the number passes within the next hour. */
export async function releaseHeld(
  sql: Queryable,
  { destination, kind }: Pick<BrakeState, 'destination' | 'kind'>,
  n: number,
): Promise<Pick<BrakeState, 'held' | 'allowance' | 'allowance_until'> & { readonly released: number }> {
  const [row] = await retryConflict(() =>
    sql.query<{ released: number; held: number; allowance: number; allowance_until: string | null }>(
      `select r.released::float8, r.held::float8, r.allowance::float8, to_jsonb(r.allowance_until) #>> '{}' as allowance_until
         from rollcall.destinations d cross join lateral rollcall.release_held(d.id, $2, $3) r where d.name = $1`,
      [destination, kind, n],
    ),
  );
  return row ?? { released: 0, held: 0, allowance: 0, allowance_until: null };
}
