import type { World } from '../../support/world.ts';
import type { Crew } from './crew.ts';
import type { Historian } from './history.ts';
import { isControl, isWait, isWorker, type Scenario, SESSIONS, type Step } from './scenario.ts';
import { type Done, openSession, type Session } from './sessions.ts';
import { CROWD, statement } from './statements.ts';

/** How long a run may take to become quiet; a sweep whose worker ended is taken over after 15 s. */
const QUIET_MS = 30_000;

/** What steps are played on. */
export interface Stage {
  /** Of the database, as its superuser. */
  readonly url: string;
  readonly world: World;
  readonly crew: Crew;
  readonly historian: Historian;
  /** Takes what was done, as SQL with comments. */
  readonly script: string[];
}

/**
 * Does one step after another, and waits for quiet; transactions of several connections are open together. What is open at
 * the end is committed.
 */
export async function act(stage: Stage, { crowd, steps }: Scenario): Promise<void> {
  const sessions: Session[] = [];
  try {
    // The first sweep: one whose worker ends costs the wait for the next.
    if (steps.some((step) => isWorker(step.do))) await stage.world.settled(QUIET_MS);
    for (let n = 0; n < SESSIONS; n += 1) sessions.push(await openSession(stage.url, n));
    for (const sql of crowd ? CROWD : []) {
      stage.script.push(`${sql.replaceAll(/\s+/g, ' ')};`);
      await sessions[0]?.run({ sql }, -1);
    }
    await stage.historian.look();
    for (const [turn, step] of steps.entries()) {
      // Nothing is quiet, and no worker ends, while a transaction keeps a table from being read.
      const waits = step.do === 'settle' || step.do === 'restart';
      if (waits && sessions.some((session) => session.locksTable)) continue;
      const done = await take(stage, step, turn, sessions[step.s]!);
      if (done.committed) await stage.historian.look();
    }
    for (const session of sessions) {
      const done = await session.finish(true);
      if (done.outcome !== '-') stage.script.push(`-- end ${session.name}: ${done.outcome}`);
      if (done.committed) await stage.historian.look();
    }
    await stage.world.settled(QUIET_MS);
  } finally {
    for (const session of sessions) await session.close();
  }
}

async function take({ world, crew, script }: Stage, step: Step, turn: number, session: Session): Promise<Done> {
  const kind = step.do;
  if (isControl(kind)) {
    const done = await session.control(kind, step.n);
    if (done.outcome !== '-') script.push(`-- ${turn} ${session.name} ${kind}: ${done.outcome}`);
    return done;
  }
  if (isWait(kind) || isWorker(kind)) {
    script.push(`-- ${turn} ${kind}`);
    if (kind === 'settle') await world.settled(QUIET_MS);
    else if (kind === 'rest') await rest(step.n * 8);
    else await crew.happen(kind);
    return { committed: false, outcome: '' };
  }
  const made = statement(kind, step, turn);
  script.push(`${made.sql.replaceAll(/\s+/g, ' ')}; -- ${turn} ${session.name} ${made.copy ?? ''}`);
  const done = await session.run(made, turn);
  script.push(`--   ${done.outcome}`);
  return done;
}

async function rest(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
