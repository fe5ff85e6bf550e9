import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { boundedValues } from '../core/bounded.ts';
import type { Gauges } from '../core/gauges.ts';
import type { Observation, Observer } from '../engine/observer.ts';
import { gaugeMetrics } from './gauge-metrics.ts';
import { inTime } from './in-time.ts';
import { addProcessMetrics } from './process-metrics.ts';

/** What one worker has counted, and the text of both that and the database's gauges. */
export interface Metrics {
  readonly observe: Observer;
  /** Prometheus text format 0.0.4. Never throws: without an answer of the database its gauges are left out. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Different codes that are told apart for each destination; all further ones are counted as `other`. */
const MOST_CODES = 50;
/** Longest that the database is waited for; scrapers wait for 10 s. */
const READ_MS = 5_000;
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * The counters are this worker's own: add them up over workers. The gauges are read from the database when they are asked for,
 * so each worker gives the same ones: take the largest. Labels are names of the config, fixed words, and codes, of which only so many
 * are told apart.
 * @param read how things stand in the database; may reject
 */
export function createMetrics(read: () => Promise<Gauges>): Metrics {
  const own = new Registry();
  const observe = counters(own);
  addProcessMetrics([own]);
  let asked: Promise<string> | undefined;
  const text = async (): Promise<string> => {
    const found = await inTime(read(), READ_MS, undefined);
    return `${await own.metrics()}\n${await gaugeMetrics(found).metrics()}`;
  };
  return {
    observe,
    contentType: own.contentType,
    // Whoever asks while another one is being answered gets that answer.
    text: () =>
      (asked ??= text().finally(() => {
        asked = undefined;
      })),
  };
}

function counters(registry: Registry): Observer {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]): Counter<Label> =>
    new Counter({ name, help, labelNames, registers });
  const histogram = <Label extends string>(name: string, help: string, ...labelNames: Label[]): Histogram<Label> =>
    new Histogram({ name, help, labelNames, buckets: SECONDS, registers });
  const fold = histogram('rollcall_fold_seconds', 'Time of a fold that took changes.');
  const folded = counter(
    'rollcall_folded_total',
    'Of folds: rows of the log, contacts that changed, rows that failed.',
    'what',
  );
  const claim = histogram('rollcall_claim_seconds', 'Time of a claim that found work.', 'destination');
  const claimed = counter('rollcall_claimed_total', 'Contacts that this worker has leased.', 'destination');
  const request = histogram('rollcall_request_seconds', 'Time of a request to a destination.', 'destination');
  const requests = counter(
    'rollcall_requests_total',
    'Requests by the class of their answer.',
    'destination',
    'status',
  );
  const sending = new Gauge({
    name: 'rollcall_requests_in_flight',
    help: 'Requests of this worker that wait for an answer.',
    labelNames: ['destination'],
    registers,
  });
  const settle = histogram('rollcall_settle_seconds', 'Time of writing down outcomes.', 'destination');
  const outcomes = counter(
    'rollcall_outcomes_total',
    'Outcomes that were written down, of contacts and of events.',
    'destination',
    'of',
    'outcome',
    'code',
  );
  const waits = counter(
    'rollcall_limiter_waits_total',
    'How often the shared limit gave no permit.',
    'destination',
    'bucket',
  );
  const waited = counter('rollcall_limiter_wait_seconds_total', 'The waits it asked for, added up.', 'destination');
  const holds = counter('rollcall_throttled_total', 'How often the destination asked for a rest.', 'destination');
  const job = new Histogram({
    name: 'rollcall_job_seconds',
    help: 'Time of a request for many, until it has ended.',
    labelNames: ['destination', 'outcome'],
    buckets: [1, 5, 15, 60, 300, 900, 3_600],
    registers,
  });
  const sweeps = counter('rollcall_sweeps_total', 'Sweeps that this worker has ended.');
  const swept = counter('rollcall_sweep_found_total', 'Contacts that they found out of step.', 'what');
  const pauses = counter(
    'rollcall_pauses_total',
    'How often a destination was paused, and why.',
    'destination',
    'code',
  );
  const troubles = counter('rollcall_store_errors_total', 'Calls of the database that failed.', 'during', 'code');
  const webhooks = counter(
    'rollcall_webhooks_total',
    'Webhooks received, by what came of them.',
    'destination',
    'result',
  );
  const facts = counter('rollcall_webhook_facts_total', 'Opt-outs and bounces that they told of.', 'destination');
  const codes = new Map<string, (code: string) => string>();
  const codeOf = (destination: string, code: string): string => {
    const bounded = codes.get(destination) ?? boundedValues(MOST_CODES);
    codes.set(destination, bounded);
    return bounded(code);
  };
  return (seen: Observation): void => {
    switch (seen.what) {
      case 'fold': {
        const { taken, changed, failed } = seen.result;
        if (taken > 0) fold.observe(seen.ms / 1_000);
        folded.inc({ what: 'taken' }, taken);
        folded.inc({ what: 'changed' }, changed);
        folded.inc({ what: 'failed' }, failed);
        return;
      }
      case 'claim':
        if (seen.contacts === 0) return;
        claim.observe({ destination: seen.destination }, seen.ms / 1_000);
        claimed.inc({ destination: seen.destination }, seen.contacts);
        return;
      case 'sending':
        sending.inc({ destination: seen.destination });
        return;
      case 'send': {
        const { destination, status, code = '' } = seen;
        sending.dec({ destination });
        request.observe({ destination }, seen.ms / 1_000);
        requests.inc({
          destination,
          status: status === undefined ? codeOf(destination, code) : `${(status / 100) | 0}xx`,
        });
        return;
      }
      case 'settle':
        settle.observe({ destination: seen.destination }, seen.ms / 1_000);
        for (const { of, outcome, code, count } of seen.tallies) {
          outcomes.inc({ destination: seen.destination, of, outcome, code: codeOf(seen.destination, code) }, count);
        }
        return;
      case 'limit':
        for (const bucket of seen.buckets) waits.inc({ destination: seen.destination, bucket });
        waited.inc({ destination: seen.destination }, seen.waitMs / 1_000);
        return;
      case 'hold':
        holds.inc({ destination: seen.destination });
        return;
      case 'job':
        job.observe({ destination: seen.destination, outcome: seen.outcome }, seen.ms / 1_000);
        return;
      case 'webhook':
        webhooks.inc({ destination: seen.destination, result: seen.result });
        facts.inc({ destination: seen.destination }, seen.facts);
        return;
      case 'sweep':
        sweeps.inc();
        for (const [what, count] of Object.entries(seen.report.found)) swept.inc({ what }, count);
        return;
      case 'pause':
        pauses.inc({ destination: seen.destination, code: codeOf(seen.destination, seen.code) });
        return;
      case 'trouble':
        troubles.inc({ during: seen.during, code: codeOf('', seen.code) });
    }
  };
}
