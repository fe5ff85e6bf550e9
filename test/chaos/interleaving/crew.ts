import type { Config } from '../../../src/config/types.ts';
import type { WorkerProcess } from '../../support/spawn-worker.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';
import type { RunningWorker, World } from '../../support/world.ts';
import type { Scenario, WorkerKind } from './scenario.ts';

/** Short enough for a dead worker's leases to end within a run; the relations between them hold. */
const TIMES = { leaseMs: 1_500, requestMs: 500, settleMs: 200, leastRequestMs: 100, upkeepEveryMs: 100 };

/** The workers of a run: one, and at times a second one. */
export interface Crew {
  happen(kind: WorkerKind): Promise<void>;
  stop(): Promise<void>;
}

/** @param yaml the text of `config`, for a worker that is a process of its own */
export async function startCrew(world: World, config: Config, yaml: string, scenario: Scenario): Promise<Crew> {
  // A process costs half a second, so there is one only where it will be killed.
  let child: WorkerProcess | undefined;
  const workers: RunningWorker[] = [];
  const hire = async (): Promise<void> => {
    workers.push(await world.start(config, { times: TIMES }));
  };
  if (scenario.steps.some((step) => step.do === 'kill')) child = await startWorkerProcess(yaml, TIMES);
  else await hire();
  return {
    async happen(kind) {
      switch (kind) {
        case 'restart':
          await workers.shift()?.stop();
          if (workers.length === 0) await hire();
          return;
        case 'second':
          if (workers.length < 2) await hire();
          return;
        case 'cut':
          await world.db.app.query(
            `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'hosted' and datname = current_database()`,
          );
          return;
        case 'kill':
          child?.signal('SIGKILL');
          await child?.ended;
          child = undefined;
          if (workers.length === 0) await hire();
      }
    },
    async stop() {
      if (child !== undefined) {
        child.signal('SIGTERM');
        await child.ended;
      }
      for (const worker of workers) await worker.stop();
    },
  };
}
