import { Gauge, Registry } from 'prom-client';
import { boundedValues } from '../core/bounded.ts';
import type { Gauges } from '../core/gauges.ts';

const MOST_CODES = 50;

/** The metrics of how things stand; one alone, that says so, when the database gave no answer. */
export function gaugeMetrics(found: Gauges | undefined): Registry {
  const registry = new Registry();
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]): Gauge<Label> =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  gauge('rollcall_database_up', 'Whether the database answers this worker.').set(found === undefined ? 0 : 1);
  if (found === undefined) return registry;
  const code = boundedValues(MOST_CODES);
  gauge('rollcall_unfolded_changes', 'Rows of the change log that no fold has taken.').set(found.unfolded);
  gauge('rollcall_fold_lag_seconds', 'Age of the oldest of them; 0 when there is none.').set(found.unfolded_s);
  gauge('rollcall_uncaptured', 'What triggers could not capture, since the install.').set(found.uncaptured);
  gauge('rollcall_events_lost', 'Statements whose events could not be captured, since the install.').set(
    found.events_lost,
  );
  gauge('rollcall_sweep_wanted', 'Whether something is not swept yet that must be.').set(Number(found.sweep_wanted));
  if (found.swept_s !== null) gauge('rollcall_sweep_age_seconds', 'Since the last complete sweep.').set(found.swept_s);
  if (found.sweep !== null) gauge('rollcall_sweep_found', 'Contacts it found out of step.').set(found.sweep.found);
  gauge('rollcall_write_backs', 'People whose consent is not written back yet.').set(found.write_backs);
  if (found.wal != null) {
    gauge('rollcall_wal_kept_bytes', 'What the server keeps of the write-ahead log for us.').set(found.wal.kept);
    gauge('rollcall_wal_reading', 'Whether a worker reads the write-ahead log.').set(Number(found.wal.reading));
    gauge('rollcall_wal_tables', 'Tables whose changes are read from it.').set(found.wal.by_wal);
  }
  if (found.reading !== undefined) {
    gauge('rollcall_api_read_age_seconds', 'Since the project was last read whole by its API.').set(
      found.reading.waited_s,
    );
    gauge('rollcall_api_late', 'Whether that is too long.').set(Number(found.reading.late));
  }
  gauge('rollcall_backfilling', 'Whether a backfill is not over.').set(Number(found.backfilling));
  gauge('rollcall_sources_paused', 'Tables that are not read now.').set(found.sources_paused.length);
  const pending = gauge('rollcall_pending', 'Contacts that are not in step.', 'destination', 'lane');
  const inFlight = gauge('rollcall_in_flight', 'Of these, leased by a worker.', 'destination', 'lane');
  const lag = gauge(
    'rollcall_pending_oldest_seconds',
    'For how long the oldest of them has been pending; 0 when there is none.',
    ...(['destination', 'lane'] as const),
  );
  const held = gauge('rollcall_brake_held', 'Contacts that a brake holds.', 'destination', 'brake');
  const paused = gauge('rollcall_paused', 'Whether a destination is paused, and why.', 'destination', 'code');
  const dead = gauge('rollcall_dead_letters', 'Contacts that a destination or the mapping refused.', 'destination');
  const events = gauge('rollcall_events_pending', 'Events that wait to be sent.', 'destination');
  const jobs = gauge('rollcall_jobs', 'Requests for many that are at work.', 'destination');
  for (const { name: destination, lanes, ...of } of found.destinations) {
    for (const lane of ['live', 'backfill'] as const) {
      pending.set({ destination, lane }, lanes[lane].pending);
      inFlight.set({ destination, lane }, lanes[lane].in_flight);
      lag.set({ destination, lane }, lanes[lane].oldest_s);
    }
    for (const brake of ['deletes', 'changes'] as const) held.set({ destination, brake }, of.held[brake]);
    paused.set({ destination, code: code(of.pause_code ?? '') }, of.pause_code === null ? 0 : 1);
    dead.set({ destination }, of.dead_letters);
    events.set({ destination }, of.events_pending);
    jobs.set({ destination }, of.jobs);
  }
  return registry;
}
