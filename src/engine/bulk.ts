import { retryDelayMs } from '../core/retry.ts';
import { choose, mostTogether } from './bulk-choice.ts';
import { createJob, type JobRunner } from './bulk-job.ts';
import type { JobLook } from './job-ports.ts';
import { isPaused, type LaneShared } from './lane-shared.ts';
import type { Lane } from './ports.ts';
import { createTrouble } from './trouble.ts';
import { pause } from './wake.ts';

/** How often to look while many wait, and while none do: then claims tell what is due, and a job whose worker is gone can wait. */
const BUSY_LOOK_MS = 250;
const IDLE_LOOK_MS = 1_000;
const REST_MS = 2_000;
/** While none wait only what became due lately is looked for, and everything now and then: see claim-bounds.ts. */
const FULL_LOOK_EVERY_MS = 10_000;
const RECENT_MS = 2 * FULL_LOOK_EVERY_MS;
const LANES: readonly Lane[] = [0, 1];

/**
 * Sends contacts of a lane together while its backlog is long, and takes over requests whose worker is gone. Until the signal
 * aborts; what is at work at the destination then is left to the next worker.
 * @param least how many must wait; undefined for none ever
 */
export async function runBulk(lane: LaneShared, least: number | undefined): Promise<void> {
  const { bulk } = lane.destination;
  if (bulk === undefined) return;
  const trouble = createTrouble(lane.log, { destination: lane.state.name }, 'send contacts together');
  const runner = createJob(lane, bulk);
  const rest: Rest = [0, 0];
  // What the destination refused without a word of whom it minds is tried with fewer, until it is found.
  const whole = Math.min(mostTogether(bulk, lane.config), lane.mostTogether ?? Infinity);
  let most = whole;
  let tries = 0;
  let fullAt = -Infinity;
  let empty = false;
  while (!lane.signal.aborted) {
    try {
      const full = !empty || performance.now() - fullAt > FULL_LOOK_EVERY_MS;
      if (full) fullAt = performance.now();
      const counted = least === undefined ? 0 : most;
      const found = await lane.store.lookAtJobs(lane.state.id, counted, full ? undefined : RECENT_MS);
      empty = found.lanes.every(({ waiting }) => waiting === 0);
      const orphan = found.orphan ? await runner.takeOver() : undefined;
      const done =
        orphan ??
        (least === undefined ? undefined : await next(lane, runner, found, { least, most, atOnce: bulk.atOnce, rest }));
      trouble.worked();
      if (done === 'refused') most = Math.max(1, Math.ceil(most / 2));
      else if (done === 'delivered') most = Math.min(whole, most * 2);
      tries = done === 'again' ? tries + 1 : 0;
      if (done === undefined) await pause(lookMs(found, Math.min(least ?? Infinity, most)), lane.signal);
      else if (done === 'again') await pause(retryDelayMs(lane.retry, { tries, random: lane.random() }), lane.signal);
    } catch (error) {
      if (lane.isFatal(error)) return;
      trouble.failed(error);
      await pause(IDLE_LOOK_MS, lane.signal);
    }
  }
}

function lookMs({ lanes, atWork }: JobLook, least: number): number {
  return atWork > 0 || lanes.some(({ waiting, growing }) => growing || waiting >= least) ? BUSY_LOOK_MS : IDLE_LOOK_MS;
}

/** Until when nothing of a lane is tried together. */
type Rest = [live: number, backfill: number];

interface Choosing {
  /** See `leastTogether`. */
  readonly least: number;
  readonly most: number;
  /** See `Bulk.atOnce`. */
  readonly atOnce: number;
  readonly rest: Rest;
}

async function next(
  lane: LaneShared,
  runner: JobRunner,
  { lanes, atWork }: JobLook,
  { least, most, atOnce, rest }: Choosing,
): ReturnType<JobRunner['send']> {
  // After a pause one goes first, alone.
  const paused = isPaused(lane) || lane.pauses > 0;
  for (const each of LANES) {
    // Live ones are another worker's, if there is one.
    const may = !paused && (each === 1 || lane.liveWaitMs === 0) && performance.now() > rest[each];
    lane.together[each] = may ? Math.min(least, most) : 0;
    if (!may || atWork >= atOnce || choose(lanes[each], Math.min(least, most), most) !== 'send') continue;
    const done = await runner.send(each, most);
    if (done !== undefined) return done;
    // None of those that wait first can go with others.
    rest[each] = performance.now() + REST_MS;
  }
  return undefined;
}
