import { retryDelayMs } from '../core/retry.ts';
import { choose, leastTogether } from './bulk-choice.ts';
import { createJob, type JobRunner } from './bulk-job.ts';
import { isPaused, type LaneShared } from './lane-shared.ts';
import type { Bucket, Lane } from './ports.ts';
import { createTrouble } from './trouble.ts';
import { pause } from './wake.ts';

const LOOK_EVERY_MS = 250;
const REST_MS = 2_000;
const LANES: readonly Lane[] = [0, 1];

/**
 * Sends contacts of a lane together while its backlog is long, and takes over requests whose worker is gone. Until the signal
 * aborts; what is at work at the destination then is left to the next worker.
 */
export async function runBulk(lane: LaneShared, buckets: readonly Bucket[]): Promise<void> {
  const { bulk } = lane.destination;
  const least = leastTogether(bulk, lane.config, buckets);
  if (bulk === undefined) return;
  const trouble = createTrouble(lane.log, { destination: lane.state.name }, 'send contacts together');
  const runner = createJob(lane, bulk);
  // What the destination refused without a word of whom it minds is tried with fewer, until it is found.
  let most = bulk.most;
  let tries = 0;
  const rest: Rest = [0, 0];
  while (!lane.signal.aborted) {
    try {
      const done = (await runner.takeOver()) ?? (await next(lane, runner, { least, most, atOnce: bulk.atOnce, rest }));
      trouble.worked();
      if (done === 'refused') most = Math.max(1, Math.ceil(most / 2));
      else if (done === 'delivered') most = Math.min(bulk.most, most * 2);
      tries = done === 'again' ? tries + 1 : 0;
      if (done === undefined) await pause(LOOK_EVERY_MS, lane.signal);
      else if (done === 'again') await pause(retryDelayMs({ tries, random: lane.random() }), lane.signal);
    } catch (error) {
      if (lane.isFatal(error)) return;
      trouble.failed(error);
      await pause(LOOK_EVERY_MS, lane.signal);
    }
  }
}

/** Until when nothing of a lane is tried together. */
type Rest = [live: number, backfill: number];

interface Choosing {
  /** See `leastTogether`. */
  readonly least: number | undefined;
  readonly most: number;
  /** See `Bulk.atOnce`. */
  readonly atOnce: number;
  readonly rest: Rest;
}

async function next(
  lane: LaneShared,
  runner: JobRunner,
  { least, most, atOnce, rest }: Choosing,
): ReturnType<JobRunner['send']> {
  if (least === undefined || isPaused(lane) || lane.pauses > 0) {
    // After a pause one goes first, alone.
    lane.together.fill(null);
    return undefined;
  }
  for (const each of LANES) {
    // Live ones are another worker's, if there is one.
    const may = (each === 1 || lane.liveWaitMs === 0) && performance.now() > rest[each];
    lane.together[each] = may ? Math.min(least, most) : null;
    if (!may) continue;
    const backlog = await lane.store.backlog(lane.state.id, each, most);
    if (backlog.atWork >= atOnce || choose(backlog, Math.min(least, most), most) !== 'send') continue;
    const done = await runner.send(each, most);
    if (done !== undefined) return done;
    // None of those that wait first can go with others.
    rest[each] = performance.now() + REST_MS;
  }
  return undefined;
}
