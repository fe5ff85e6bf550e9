import { plainCode } from './bounded.ts';
import type { DestinationGauges, Gauges } from './gauges.ts';

/**
 * What somebody is told of. `stuck`: changes or contacts wait too long. `failing`: dead letters rise. `paused`: a destination
 * refuses us. `source`: a table is not read. `brake`: contacts are held. `drift`: a sweep found much.
 * `wal`: the replication slot was given up. `api`: the project is not read by its API.
 */
export type AlertKind = 'stuck' | 'failing' | 'paused' | 'source' | 'brake' | 'drift' | 'wal' | 'api' | 'test';

/** Something that is wrong now. */
export interface Alert {
  readonly kind: AlertKind;
  /** A destination or a table; empty when it is about the whole. One kind and subject is told once until it has ended. */
  readonly subject: string;
  /** Counts, ages and codes, nobody's data. */
  readonly detail: Readonly<Record<string, number | string>>;
}

/** From when on something is told. */
export interface AlertLimits {
  readonly stuckMs: number;
  readonly failed: number;
  readonly drift: number;
}

/** Everybody is found by the first sweep of an install, or after another config or database: that is what it is for. */
const EXPECTED: ReadonlySet<string> = new Set(['installed', 'config', 'bound', 'clock']);

/** What is wrong, as the database stands; pure. */
export function alertsOf(gauges: Gauges, limits: AlertLimits): readonly Alert[] {
  const stuckS = limits.stuckMs / 1_000;
  const { unfolded_s: waits, sweep, reading } = gauges;
  return [
    ...(waits > stuckS ? [alert('stuck', '', { seconds: Math.round(waits), unfolded: gauges.unfolded })] : []),
    ...(sweep !== null && sweep.found >= limits.drift && !sweep.causes.every((cause) => EXPECTED.has(cause))
      ? [alert('drift', '', { found: sweep.found, causes: sweep.causes.join(', ') })]
      : []),
    ...(gauges.wal?.given_up == null ? [] : [alert('wal', '', { why: plainCode(gauges.wal.given_up) })]),
    ...(reading?.late === true ? [alert('api', '', { seconds: Math.round(reading.waited_s) })] : []),
    ...gauges.sources_paused.map(({ name, code }) => alert('source', name, { code: plainCode(code) })),
    ...gauges.destinations.flatMap((destination) => alertsFor(destination, limits, stuckS)),
  ];
}

function alertsFor(destination: DestinationGauges, limits: AlertLimits, stuckS: number): readonly Alert[] {
  const { name, pause_code: pause, held, lanes } = destination;
  const { oldest_s: oldest, pending } = lanes.live;
  return [
    // Everybody waits for a destination that is paused, and a backfill takes its time.
    ...(pause === null && oldest > stuckS ? [alert('stuck', name, { seconds: Math.round(oldest), pending })] : []),
    ...(pause === null ? [] : [alert('paused', name, { code: plainCode(pause), pending })]),
    ...(destination.dead_letters_hour >= limits.failed
      ? [
          alert('failing', name, {
            in_an_hour: destination.dead_letters_hour,
            dead_letters: destination.dead_letters,
            code: plainCode(destination.dead_letters_code ?? ''),
          }),
        ]
      : []),
    ...(held.deletes + held.changes > 0
      ? [alert('brake', name, { deletes: held.deletes, changes: held.changes })]
      : []),
  ];
}

function alert(kind: AlertKind, subject: string, detail: Alert['detail']): Alert {
  return { kind, subject, detail };
}
