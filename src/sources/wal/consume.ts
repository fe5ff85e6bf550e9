import { pause } from '../../engine/wake.ts';
import type { WalRelation } from './decode.ts';
import type { Taken, WalState, WalMove, WalStore } from './ports.ts';
import { type WalChunk, type WalPlace, WalReader } from './reader.ts';
import { mapRelation, type WalSource } from './rows.ts';
import type { WalStream } from './stream.ts';

/** As many rows, or kilobytes of them, go into the log at once. */
const MOST = 1_000;
/** So few are folded at once; more are gathered by the log, which is quicker at many. */
const FOLDED_MOST = 300;
/** What could not be folded at once is not tried again for so long: the fold has to do with it. */
const LOG_ONLY_MS = 1_000;
/**
 * After contacts were folded as long as that took, at most: a fold costs about the same for one as for ten, so that what comes meanwhile is
 * had for little, and no later, as others have the processor.
 */
const GATHER_MS = 40;
/** Of waiting until what was committed can be seen; with synchronous replication that may take long. */
const UNSEEN_MS = 50;
/** What had nothing for us is written down, and so forgotten by the server, when it is that much: 1 MB. */
const PASSED_BYTES = 1_048_576n;

export interface ConsumeOptions {
  readonly state: WalState;
  readonly store: Pick<WalStore, 'take' | 'fold' | 'written'>;
  /** Told after each chunk that it is in the log, or that it was folded. */
  readonly onTaken: (taken: Taken) => void;
}

/** Takes what a slot has into the log. */
export interface Consumer {
  /** Which columns of a table are needed, for the stream. */
  readonly wanted: (relation: WalRelation) => readonly boolean[] | undefined;
  /** Everything before it is done with. */
  read(): bigint;
  /** Tells the server what it may forget: what is in the log, on disk. To be called now and then. */
  acknowledge(stream: WalStream): Promise<void>;
  /** Runs until the signal aborts. @throws what the stream or the store throws */
  run(stream: WalStream, signal: AbortSignal): Promise<void>;
}

export function createConsumer({ state, store, onTaken }: ConsumeOptions): Consumer {
  const sourceOf = finder(state);
  const reader = new WalReader(state.from, state.time, sourceOf);
  let kept: WalPlace = state.from;
  let read = state.from.at;
  let acknowledged = state.from.at;
  /** What was in the log when the server had written so much. */
  let mark: { readonly kept: bigint; readonly inserted: bigint } | undefined;
  let logOnlyUntil = -Infinity;
  let gatherMs = 0;
  const put = async (move: WalMove, chunk: WalChunk): Promise<Taken> => {
    if (!isSmall(chunk) || performance.now() < logOnlyUntil) return await store.take(move, chunk);
    const begunAt = performance.now();
    const taken = await store.fold(move, chunk);
    gatherMs = Math.min(GATHER_MS, performance.now() - begunAt);
    if (taken === 'log') logOnlyUntil = performance.now() + LOG_ONLY_MS;
    return taken;
  };
  // Undefined when the signal aborts.
  const putSeen = async (move: WalMove, chunk: WalChunk, signal: AbortSignal): Promise<Taken | undefined> => {
    for (let waitMs = 1; !signal.aborted; waitMs = Math.min(2 * waitMs, UNSEEN_MS)) {
      const taken = await put(move, chunk);
      if (taken !== 'unseen') return taken;
      await pause(waitMs, signal);
    }
    return undefined;
  };
  const take = async (stream: WalStream, signal: AbortSignal): Promise<void> => {
    const { place, time } = reader;
    const anything = !reader.isEmpty;
    if (anything || (place.place === 0 && place.at - kept.at >= PASSED_BYTES)) {
      const taken = await putSeen({ version: state.version, from: kept, to: place, time }, reader.take(), signal);
      if (taken === undefined) return;
      kept = place;
      if (anything) onTaken(taken);
    }
    // Of a transaction that is not read to its end, and has nothing yet, only what is before it is done.
    read = place.at;
    stream.confirm(read, acknowledged);
  };
  return {
    wanted(relation) {
      const source = sourceOf(relation);
      return source === undefined ? undefined : mapRelation(source, relation).wanted;
    },
    read: () => read,
    async acknowledge(stream) {
      const now = kept.at;
      if (now === acknowledged) return;
      const { inserted, flushed } = await store.written();
      if (mark !== undefined && flushed >= mark.inserted) {
        acknowledged = mark.kept;
        mark = undefined;
        stream.confirm(read, acknowledged);
      }
      mark ??= { kept: now, inserted };
    },
    async run(stream, signal) {
      for (;;) {
        const messages = await stream.take(MOST, signal);
        if (messages === undefined) return;
        for (const message of messages) {
          if (message.kind === 'reached') reader.pass(message.at);
          else reader.read(message);
          if (reader.size >= MOST) await take(stream, signal);
        }
        gatherMs = 0;
        await take(stream, signal);
        if (gatherMs > 0) await pause(gatherMs, signal);
      }
    },
  };
}

/** Nothing but a few contacts to look at. */
function isSmall({ keys, events, truncated, missed }: WalChunk): boolean {
  const rows = keys.reduce((sum, each) => sum + each.rows.length, 0);
  return rows > 0 && rows <= FOLDED_MOST && events.length + truncated.length + Object.keys(missed).length === 0;
}

/** By its identity, as a table may be renamed; by its name where that is not known. */
function finder({ sources }: WalState): (relation: WalRelation) => WalSource | undefined {
  const byId = new Map(sources.flatMap((source) => (source.oid === null ? [] : [[source.oid, source] as const])));
  const byName = new Map(sources.map((source) => [source.name, source]));
  return ({ id, schema, table }) => byId.get(id) ?? byName.get(`${schema}.${table}`);
}
