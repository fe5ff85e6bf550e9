import { pause } from '../../../src/engine/wake.ts';
import type { Sandbox } from '../../../src/sandbox/types.ts';
import type { AppSide } from './app-side.ts';
import { addressOf, appStatement } from './app.ts';
import type { Crew } from './crew.ts';
import type { Evidence, OptOut, Outage } from './evidence.ts';
import { type Act, DESTINATIONS, type Plan, STORM_MS } from './plan.ts';
import { sharedNow } from './exchange.ts';
import type { Proxy } from './proxy.ts';
import type { Stage } from './stage.ts';

export interface StormParts {
  readonly stage: Stage;
  readonly plan: Plan;
  readonly app: AppSide;
  readonly crew: Crew;
  readonly proxy: Proxy;
  readonly sandbox: Sandbox;
}

/** Lets everything happen that is planned, then ends every fault: workers go on, the database is there, the disk has room. */
export async function storm(parts: StormParts): Promise<Pick<Evidence, 'outages' | 'optOuts' | 'fullTurns'>> {
  const { plan, app, crew, proxy } = parts;
  const outages: Outage[] = [];
  const optOuts: OptOut[] = [];
  const fullTurns = new Set<number>();
  const from = sharedNow();
  // Faults go on beside the app, and one of a kind after the other.
  const faults = new Map<string, Promise<void>>();
  let turn = 0;
  for (const act of plan.acts) {
    await until(from + act.at);
    if (act.do === 'app') {
      turn += 1;
      const begunAt = sharedNow();
      await app.run(appStatement(act.kind, act, turn), turn, () => !outages.some(isDown));
      if (outages.some(({ what, to }) => what === 'full' && to >= begunAt)) fullTurns.add(turn);
    } else if (act.do === 'weather') proxy.setWeather(act.of, act.weather);
    else if (act.do === 'optOut') optOuts.push(optOut(parts, act));
    else {
      const key = 'worker' in act ? `worker ${act.worker}` : 'database';
      const before = faults.get(key) ?? Promise.resolve();
      faults.set(
        key,
        before.then(() => fault(parts, act, outages)),
      );
    }
  }
  await until(from + STORM_MS);
  crew.wake();
  await Promise.all(faults.values());
  for (const each of DESTINATIONS) proxy.setWeather(each, {});
  return { outages, optOuts, fullTurns };
}

function isDown({ what, to }: Outage): boolean {
  return what === 'crash' && to === Infinity;
}

async function fault(
  { stage, app, crew }: StormParts,
  act: Exclude<Act, { do: 'app' | 'weather' | 'optOut' }>,
  outages: Outage[],
): Promise<void> {
  switch (act.do) {
    case 'kill':
      return await crew.kill(act.worker);
    case 'stop':
      return await crew.stop(act.worker, act.forMs);
    case 'crash':
      return await during('crash', outages, async () => {
        await stage.cluster.crash();
        await pause(act.forMs);
        await stage.cluster.start();
      });
    case 'full': {
      const { disk } = stage;
      if (typeof disk === 'string') return;
      return await during('full', outages, async () => {
        await disk.fill();
        await pause(act.forMs);
        await disk.empty();
      });
    }
    case 'cut':
      return await during('cut', outages, async () => {
        await app.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'hosted' and datname = current_database()`,
        );
      });
    default:
      return act satisfies never;
  }
}

async function during(what: Outage['what'], outages: Outage[], work: () => Promise<void>): Promise<void> {
  const outage: Outage = { what, from: sharedNow(), to: Infinity };
  outages.push(outage);
  try {
    await work();
  } finally {
    outage.to = sharedNow();
  }
}

/** Somebody says no in the destination's own pages. */
function optOut({ sandbox }: StormParts, { of, a }: Extract<Act, { do: 'optOut' }>): OptOut {
  const address = addressOf(a);
  const { standIn } = sandbox.of(of);
  standIn.optOut(address, 'unsubscribe');
  return { destination: of, address, contact: standIn.contact(address)?.id, at: sharedNow() };
}

async function until(at: number): Promise<void> {
  const ms = at - sharedNow();
  if (ms > 0) await pause(ms);
}
