import type { World } from '../../support/world.ts';
import { canonical } from './canonical.ts';
import type { History } from './history.ts';

/** All that is known of a run that failed. */
export async function story(world: World, history: History): Promise<string> {
  const lines: string[] = [];
  const add = (title: string, rows: readonly unknown[]): void => {
    lines.push(`--- ${title}`, ...rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))));
  };
  const read = async (query: string): Promise<unknown[]> => (await world.db.app.query(query)).rows;
  add('wanted contacts', history.contacts);
  add('audited events', history.events);
  add(
    'arrived events',
    world.sandbox.state.contactEvents().map((e) => `${e.email} ${e.name} ${canonical(e.params)}`),
  );
  add(
    'calls',
    world.sandbox.state
      .calls()
      .map((c) => `${c.at} ${c.method} ${decodeURIComponent(c.path)} ${c.body} -> ${c.status}`),
  );
  add(
    'desired',
    await read(`select c.key, s.action, s.reason, s.address, s.waiting_for, s.payload, s.version, s.delivered_version, s.remote_address,
                       s.remote_id, s.leftovers, s.carry_from, s.takeover
                  from rollcall.desired s join rollcall.contacts c on c.id = s.contact_id order by s.contact_id`),
  );
  add(
    'events',
    await read(`select e.seq, c.key, e.name, e.properties, e.happened_at, e.ready, e.state, e.reason
                  from rollcall.events e left join rollcall.contacts c on c.id = e.contact_id order by e.seq`),
  );
  add(
    'log',
    await read(`select i.uncaptured_seen, rollcall.uncaptured_count(), i.swept_at, i.sweep_until, i.sweep_again_at, p.*,
                       pg_current_snapshot() as now from rollcall.install i, rollcall.fold_position p`),
  );
  add('logs', world.logs);
  return lines.join('\n');
}
