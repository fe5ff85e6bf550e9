import { pause } from '../../../src/engine/wake.ts';
import type { AppSide } from './app-side.ts';
import type { Proxy } from './proxy.ts';
import { sharedNow } from './exchange.ts';

/** A dead worker's sweep is taken over after 15 s, a dead worker's request for many after 5 s; then the graces. */
const QUIET_MS = 45_000;
const LOOK_MS = 50;

/**
 * Waits until nothing is due, folded everything, and nothing is on its way.
 * @throws Error that tells what is left, when it does not come to rest
 */
export async function quiet(app: AppSide, proxy: Proxy): Promise<number> {
  const from = sharedNow();
  for (;;) {
    const [row] = await app.query<Record<string, unknown>>(UNSETTLED);
    const open = Object.entries(row ?? { nothing: true }).filter(([, value]) => value !== 0 && value !== false);
    if (open.length === 0 && proxy.held === 0) return sharedNow() - from;
    if (sharedNow() - from > QUIET_MS) {
      throw new Error(`not quiet after ${QUIET_MS} ms: ${JSON.stringify(Object.fromEntries(open))}`);
    }
    await pause(LOOK_MS);
  }
}

/** An event whose contact is there to take it. One of somebody who is none waits for 72 h. */
const OPEN = `e.state = 'pending' and exists (select from rollcall.desired s
  where s.contact_id = e.contact_id and s.destination_id = e.destination_id and s.action = 'upsert')`;

const UNSETTLED = `
  select (select count(*) from rollcall.due)::int as due,
         (select count(*) from rollcall.jobs)::int as jobs,
         (select count(*) from rollcall.events e where ${OPEN})::int as events,
         exists (select from (select xid from rollcall.changes_0 union all select xid from rollcall.changes_1
                              union all select xid from rollcall.changes_2) c,
                        (select lo from rollcall.fold_position order by id desc limit 1) p
                  where not pg_visible_in_snapshot(c.xid, p.lo)) as unfolded,
         rollcall.uncaptured_count() <> (select uncaptured_seen from rollcall.install) as uncaptured`;

/** What must not be there once it is quiet, in words. */
export const LEFTOVERS = `
select 'due: ' || to_jsonb(d)::text as what from rollcall.due d
union all select 'job: ' || to_jsonb(j)::text from rollcall.jobs j
union all select 'event: ' || to_jsonb(e)::text from rollcall.events e where e.state = 'dead' or not e.ready or ${OPEN}
union all select 'held event: ' || to_jsonb(h)::text from rollcall.held_events h
union all select 'dead letter: ' || to_jsonb(l)::text from rollcall.dead_letters l
union all select 'not in step: ' || to_jsonb(s)::text from rollcall.desired s where s.action <> 'none' and s.delivered_version is distinct from s.version
union all select 'paused: ' || to_jsonb(s)::text from rollcall.sources s where s.pause_code is not null
union all select 'paused: ' || to_jsonb(d)::text from rollcall.destinations d where d.pause_code is not null`;

/** Our own tables, for whoever looks into a failure. */
export const TABLES = `
select ${['contacts', 'desired', 'due', 'events', 'attempts', 'jobs', 'install', 'destinations', 'sweep_causes']
  .map((name) => `(select jsonb_agg(to_jsonb(t)) from rollcall.${name} t) as ${name}`)
  .join(', ')}`;
