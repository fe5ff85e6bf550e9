import { projectRef } from '../../../src/sql/project-ref.ts';
import { install } from '../../support/install.ts';
import { captured, dropSlot, type WalServer } from '../../support/wal.ts';
import { createWorld, parseWorld, type World } from '../../support/world.ts';
import { openArena, type Arena } from './arena.ts';
import { act } from './act.ts';
import { startCrew } from './crew.ts';
import { Historian } from './history.ts';
import { judgeContacts } from './judge-contacts.ts';
import { judgeEvents } from './judge-events.ts';
import { isLossy, type Scenario, showScenario } from './scenario.ts';
import { story } from './story.ts';
import { appYaml, FIELDS } from './tables.ts';

/**
 * Plays a scenario on a fresh database and judges what the destination holds once it is quiet.
 * @param server where the changes are read from the WAL
 * @throws Error that tells what differs, and everything that was done
 */
export async function play(scenario: Scenario, server?: WalServer): Promise<void> {
  const arena = await openArena(server);
  const script: string[] = [];
  try {
    if (server !== undefined) await arena.app.query(IDENTITY);
    const problems = await playIn(arena, scenario, script, server !== undefined);
    if (problems.length > 0) throw new Error(problems.join('\n'));
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${what}\n\n${showScenario(scenario)}\n\n${script.join('\n')}`, { cause });
  } finally {
    if (server !== undefined) await dropSlot(arena);
    await arena.close();
  }
}

async function playIn(arena: Arena, scenario: Scenario, script: string[], wal: boolean): Promise<readonly string[]> {
  const world = await createWorld({ db: arena, install: false, fields: FIELDS });
  try {
    if (scenario.latency > 0) world.sandbox.addFaults([{ latencyMs: scenario.latency, rate: 1 }]);
    const yaml = `${appYaml(scenario, arena.hostedUrl, world.sandbox)}${wal ? 'capture: wal\n' : ''}`;
    const config = parseWorld(yaml);
    await install(arena, config, projectRef(arena.hostedUrl, undefined));
    const crew = await startCrew(world, config, yaml, scenario);
    try {
      if (wal) await captured(world);
      const historian = new Historian(arena.app);
      const uncaptured = await countUncaptured(world);
      const problems: string[] = [];
      try {
        await act({ url: arena.url, world, crew, historian, script }, scenario);
      } catch (error) {
        problems.push(String(error));
      }
      const history = await historian.whole();
      const { state } = world.sandbox;
      if (problems.length === 0) {
        problems.push(
          ...judgeContacts(history, state.contacts(), scenario.policy),
          ...judgeEvents(history, state.contactEvents(), isLossy(scenario)),
          ...(await troubles(world, scenario, uncaptured)),
        );
      }
      if (problems.length > 0) script.push(await story(world, history));
      return problems;
    } finally {
      await crew.stop();
    }
  } finally {
    await world.sandbox.close();
  }
}

/** What must not be, whatever happened: something given up, paused, not captured. */
async function troubles(world: World, scenario: Scenario, uncaptured: number): Promise<readonly string[]> {
  const truncated = scenario.steps.filter((step) => step.do === 'truncatePayments').length;
  const { rows } = await world.db.app.query<{ what: string }>(TROUBLES, [uncaptured + truncated]);
  const subscribing = world.sandbox.state.calls().filter((call) => call.body.includes('"unsubscribed":false'));
  return [...rows.map(({ what }) => what), ...subscribing.map((call) => `subscribes: ${call.method} ${call.path}`)];
}

/** What tells of the rows before a change. */
const IDENTITY = `do $$ declare t regclass; begin
  for t in select c.oid from pg_class c where c.relkind = 'r' and c.relnamespace in ('public'::regnamespace, 'auth'::regnamespace) loop
    execute format('alter table %s replica identity full', t);
  end loop; end $$`;

async function countUncaptured(world: World): Promise<number> {
  const { rows } = await world.db.app.query<{ n: number }>('select rollcall.uncaptured_count()::int as n');
  return rows[0]?.n ?? 0;
}

const TROUBLES = `
select 'dead letter: ' || to_jsonb(l)::text as what from rollcall.dead_letters l
union all select 'dead event: ' || to_jsonb(e)::text from rollcall.events e where e.state = 'dead'
union all select 'held event: ' || to_jsonb(h)::text from rollcall.held_events h
union all select 'paused: ' || to_jsonb(s)::text from rollcall.sources s where s.pause_code is not null
union all select 'paused: ' || to_jsonb(d)::text from rollcall.destinations d where d.pause_code is not null
union all select 'not captured: ' || rollcall.uncaptured_count() where rollcall.uncaptured_count() > $1`;
