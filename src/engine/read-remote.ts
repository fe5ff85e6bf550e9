import type { Destination, Exchange } from '../core/destination.ts';
import { RollcallError } from '../core/errors.ts';
import type { ExportPlan, ExportProgress, RemoteRow } from '../core/exports.ts';
import type { Outcome } from '../core/outcome.ts';
import { createLimiter } from './limiter.ts';
import { bucketsFor, goodForMs } from './limiters.ts';
import type { DestinationState, Send } from './ports.ts';
import type { ReadTable, RemoteReading, RemoteStore } from './remote-ports.ts';
import { stopped } from './stopped.ts';
import { pause } from './wake.ts';

/** A destination that is read, with what reading it takes. */
export interface RemoteAccess {
  readonly destination: Destination<unknown>;
  readonly config: unknown;
  readonly state: Pick<DestinationState, 'id' | 'name' | 'plan'>;
  readonly store: RemoteStore;
  readonly send: Send;
  readonly readTable: ReadTable;
  readonly times?: Partial<RemoteTimes> | undefined;
  readonly onProgress?: ((progress: RemoteProgress) => void) | undefined;
}

/** Clocks of a reading, in ms. */
export interface RemoteTimes {
  /** Longest that an export may take: destinations need not say that one failed. */
  readonly exportMs: number;
  /** Longest that its file may take. */
  readonly downloadMs: number;
  readonly requestMs: number;
  /** Between two questions about an export: at first, and at most. */
  readonly firstPollMs: number;
  readonly longestPollMs: number;
}

const DEFAULT_TIMES: RemoteTimes = {
  exportMs: 30 * 60_000,
  downloadMs: 30 * 60_000,
  requestMs: 15_000,
  firstPollMs: 250,
  longestPollMs: 10_000,
};

export type RemoteProgress =
  | { readonly step: 'waiting'; readonly why: string }
  | { readonly step: 'exporting' }
  | { readonly step: 'reading'; readonly rows: number };

const BATCH = 1_000;

/** What was read, and which attributes the export had. */
export interface ReadRemote {
  readonly reading: RemoteReading;
  readonly rows: number;
  readonly attributes: readonly string[];
}

/**
 * Reads all contacts of a destination into the store, a batch at a time. The caller closes the reading.
 * @throws RollcallError a code that begins with RC_EXPORT when it cannot be read, `RC_AUDIT_BUSY`, `RC_STOPPED`
 */
export async function readRemote(
  access: RemoteAccess,
  reading: RemoteReading,
  signal: AbortSignal,
): Promise<Omit<ReadRemote, 'reading'>> {
  const { destination, config, state, store } = access;
  const times = { ...DEFAULT_TIMES, ...access.times };
  const plan = exportsOf(destination, state.name);
  const asking = createAsking(access, reading, times, signal);
  access.onProgress?.({ step: 'exporting' });
  const id = await asking.until(() => plan.start(config));
  const url = await finished(asking, plan, config, id);
  let rows = 0;
  let reader: ReturnType<ExportPlan<unknown>['rows']> | undefined;
  let batch: RemoteRow[] = [];
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await store.add(reading, batch);
    rows += batch.length;
    batch = [];
    access.onProgress?.({ step: 'reading', rows });
  };
  const from = plan.start(config).request.url;
  for await (const cells of access.readTable({ url, from, deadlineMs: times.downloadMs, signal })) {
    if (reader === undefined) {
      reader = plan.rows(cells, state.plan);
      continue;
    }
    const row = reader.read(cells);
    if (row !== undefined) batch.push(row);
    if (batch.length >= BATCH) await flush();
  }
  await flush();
  if (reader === undefined)
    throw failed(state.name, 'its file is empty, without so much as a header', 'RC_EXPORT_UNREADABLE');
  await store.complete(reading, rows);
  return { rows, attributes: reader.attributes };
}

/** @throws RollcallError `RC_EXPORT_NONE` when the destination cannot be read */
function exportsOf(destination: Destination<unknown>, name: string): ExportPlan<unknown> {
  if (destination.exports !== undefined) return destination.exports;
  throw new RollcallError('RC_EXPORT_NONE', `What ${name} has can't be read: ${destination.id} has no exports.`, {
    hint: 'Leave it out with --destination.',
  });
}

async function finished(asking: Asking, plan: ExportPlan<unknown>, config: unknown, id: string): Promise<string> {
  for (;;) {
    const progress: ExportProgress = await asking.until(() => plan.poll(id, config));
    if (progress.state === 'finished') return progress.url;
    if (progress.state === 'failed') throw failed(asking.name, progress.message.replace(/\.$/, ''), 'RC_EXPORT_FAILED');
    await asking.rest('the export is being made');
  }
}

interface Asking {
  readonly name: string;
  /** Asks until there is a value; waits where the answer says so, within the time of the export. */
  until<Value>(make: () => Exchange<Value>): Promise<Value>;
  rest(why: string): Promise<void>;
}

/** Every question takes a permit from the shared limit, as a delivery does. */
function createAsking(access: RemoteAccess, reading: RemoteReading, times: RemoteTimes, signal: AbortSignal): Asking {
  const { destination, config, state, store, send } = access;
  const buckets = bucketsFor(destination.limits(config), 'read');
  const limiter = createLimiter(
    async (want) =>
      buckets.length === 0 ? { granted: want, waitMs: 0 } : await store.takeSends(state.id, buckets, want),
    () => 0,
    goodForMs(destination.limits(config), 'read'),
  );
  const auth = destination.auth(config);
  const deadline = performance.now() + times.exportMs;
  let restMs = times.firstPollMs;
  const rest = async (why: string, atLeastMs = 0): Promise<void> => {
    const ms = Math.max(restMs, atLeastMs);
    restMs = Math.min(times.longestPollMs, restMs * 2);
    if (performance.now() + ms > deadline) {
      const minutes = Math.max(1, Math.round(times.exportMs / 60_000));
      throw failed(state.name, `it took longer than ${minutes} min (${why})`, 'RC_EXPORT_TIMEOUT');
    }
    access.onProgress?.({ step: 'waiting', why });
    for (let left = ms; left > 0; left -= times.longestPollMs) {
      await pause(Math.min(left, times.longestPollMs), signal);
      if (signal.aborted) throw stopped();
      await store.touch(reading);
    }
  };
  return {
    name: state.name,
    rest,
    async until(make) {
      for (;;) {
        if (signal.aborted) throw stopped();
        if (!(await limiter.acquire(Math.min(deadline, performance.now() + times.longestPollMs), signal))) {
          await rest('the limit of requests is used up');
          continue;
        }
        const exchange = make();
        const sent = await send(exchange.request, auth, { deadlineMs: times.requestMs, signal });
        const answer = sent.answered
          ? exchange.interpret(sent.response)
          : { ok: false as const, outcome: sent.outcome };
        if (answer.ok) return answer.value;
        const { outcome } = answer;
        if (signal.aborted) throw stopped();
        if (!passes(outcome)) throw failed(state.name, words(outcome), 'RC_EXPORT_REFUSED');
        const { retryAfterMs = 0 } = outcome;
        if (outcome.kind === 'throttle') await store.holdSends(state.id, buckets, retryAfterMs);
        await rest(outcome.code === 'export_busy' ? 'another export is being made' : words(outcome), retryAfterMs);
      }
    },
  };
}

/** Whether to ask again. Of a start without an answer nobody knows: the next one waits for it to end. */
function passes(outcome: Outcome): outcome is Exclude<Outcome, { kind: 'delivered' }> {
  return outcome.kind === 'retry' || outcome.kind === 'throttle' || outcome.kind === 'unknown';
}

function words(outcome: Outcome): string {
  return outcome.kind === 'delivered' ? 'the answer could not be read' : outcome.message.replace(/\.$/, '');
}

function failed(name: string, why: string, code: string): RollcallError {
  return new RollcallError(code, `What ${name} has could not be read: ${why}.`, {
    hint:
      code === 'RC_EXPORT_REFUSED'
        ? 'Check the key and its scope. Nothing was changed.'
        : 'Nothing was changed. Run the command again; if it stays so, look for the export in its own pages.',
  });
}
