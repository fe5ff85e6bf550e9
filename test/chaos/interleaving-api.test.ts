import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProject } from '../../src/demo/project.ts';
import { openPg } from '../../src/sql/pg.ts';
import { type ApiProject, startApiProject } from '../support/api-project.ts';
import { type ApiWorker, startApiWorker } from '../support/api-world.ts';
import { apiLines, applyApi } from '../support/apply-api.ts';
import { createStateDatabase } from '../support/state-database.ts';
import { startSandbox, type Sandbox } from '../support/mailtrap-sandbox.ts';
import { parseWorld } from '../support/world.ts';
import { Historian, type History } from './interleaving/history.ts';
import { judgeContacts } from './interleaving/judge-contacts.ts';
import { judgeEvents } from './interleaving/judge-events.ts';
import { AUDIT, ORACLE, STANDING } from './interleaving/oracle-sql.ts';
import {
  isControl,
  isWait,
  isWorker,
  type Scenario,
  scenarios,
  SESSIONS,
  showScenario,
} from './interleaving/scenario.ts';
import { openSession, type Session } from './interleaving/sessions.ts';
import { statement } from './interleaving/statements.ts';
import { APP_TABLES, appYaml, FIELDS } from './interleaving/tables.ts';

/**
 * The histories of interleaving.test.ts, on a project that is read by its API. Real: sign-ups' tables and the Data API, which are
 * @supabase/lite's, over a real Postgres; the worker, and the state database. A stand-in: the Admin API of Auth, which lite has not, over
 * lite's own auth.users (test/support/api-project.ts). What happened between two readings is not seen, so contacts are judged by the
 * project, and events by what the readings found: the audit's triggers are on the mirror. Of orders, which nobody changes, every one that is
 * there in the end must have been an event.
 */
const seed = Number(process.env['ROLLCALL_CHAOS_SEED'] ?? 1);
const numRuns = Number(process.env['ROLLCALL_INTERLEAVING_API_RUNS'] ?? 6);

let app: pg.Client;
let mirror: pg.Client;
let project: ApiProject;
let sandbox: Sandbox;
let worker: ApiWorker;
let databaseUrl: string;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const [url, drop] = await createStateDatabase();
  const [stateUrl, dropState] = await createStateDatabase();
  ends.push(drop, dropState);
  databaseUrl = url;
  app = await connect(url);
  await app.query(
    `do $$ begin create role service_role nologin bypassrls; exception when duplicate_object or unique_violation then null; end $$`,
  );
  // Its schema first; it reads the tables when it starts.
  await (await startProject(url)).close();
  await app.query(`${APP_TABLES.replaceAll('supabase_auth_admin', 'service_role')}
    grant usage on schema auth to service_role; grant all on auth.users to service_role;
    grant all on all tables in schema public to service_role; grant usage on all sequences in schema public to service_role;
    ${ORACLE}`);
  const lite = await startProject(url);
  ends.push(() => lite.close());
  project = await startApiProject({ databaseUrl: url, rest: lite });
  ends.push(() => project.close());
  sandbox = await startSandbox({ limitsScale: 10_000 });
  ends.push(() => sandbox.close());
  for (const [name, type] of Object.entries(FIELDS)) sandbox.state.addField(name, type);
  const lines = apiLines(project, stateUrl, '40ms').replaceAll(/^/gm, '    ');
  const yaml = appYaml({ policy: 'delete', wake: 'notify', together: 0 }, 'x', sandbox)
    .replace(/^database_url: .*\n/, '')
    .replace('  supabase:\n', `  supabase:\n${lines}\n`);
  const sql = openPg({ url: stateUrl, max: 2 });
  await applyApi(parseWorld(yaml), sql);
  await sql.close();
  mirror = await connect(stateUrl);
  await mirror.query(ORACLE + AUDIT + STATES);
  worker = await startApiWorker(yaml, stateUrl);
  ends.push(() => worker.stop());
  await worker.settled();
}, 120_000);

afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  ends.push(() => client.end().catch(() => undefined));
  return client;
}

test(
  'whatever several connections do to several tables while they are read by the API: in the end the destination is what plain SQL says',
  { timeout: 120_000 + numRuns * 10_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(scenarios, async (scenario) => {
        const problems = await play(scenario);
        if (problems.length > 0) throw new Error([...problems, showScenario(scenario)].join('\n'));
      }),
      { seed, numRuns, endOnFailure: true },
    );
    expect(await given()).toEqual([]);
  },
);

/** The people of the run before are part of what was before. */
async function play(scenario: Scenario): Promise<readonly string[]> {
  const sessions: Session[] = [];
  try {
    for (let n = 0; n < SESSIONS; n += 1) sessions.push(await openSession(databaseUrl, n === 3 ? 0 : n));
    for (const [turn, step] of scenario.steps.entries()) {
      const session = sessions[step.s]!;
      if (isWorker(step.do)) continue;
      if (isWait(step.do)) {
        // A transaction that has emptied a table keeps everybody from reading it.
        if (step.do === 'settle' && !sessions.some(({ locksTable }) => locksTable)) await worker.settled();
        continue;
      }
      if (isControl(step.do)) await session.control(step.do, step.n);
      else await session.run(statement(step.do, step, turn), turn);
    }
    for (const session of sessions) await session.finish(true);
  } finally {
    for (const session of sessions) await session.close();
  }
  await worker.settled();
  // Of what happened between two readings nobody knows: the audit of the project is not looked at.
  const historian = new Historian(app);
  const history = await historian.wanted();
  const arrived = sandbox.state.contactEvents();
  const found = await readings();
  return [
    ...judgeContacts(history, sandbox.state.contacts(), 'delete'),
    ...judgeEvents(found, arrived, false),
    ...(await mirrored()),
  ];
}

/** What the readings found, by the triggers on the mirror. */
async function readings(): Promise<History> {
  const { rows: states } = await mirror.query<{ state: History['states'][number] }>(
    'select state from oracle.states order by id',
  );
  const { rows: events } = await mirror.query<History['events'][number]>(
    `select id::int, turn, name, row_key as "row", customer, key, wanted, certain, properties::text, commit from oracle.audit order by id`,
  );
  return { states: states.map(({ state }) => state), events, contacts: [] };
}

/** Keys that the project has and the mirror has not, or the other way round. */
async function mirrored(): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const [table, key] of Object.entries(KEYS)) {
    const text = `select coalesce(string_agg(${key}, ' ' order by ${key}), '') as keys from ${table}`;
    const [there, here] = await Promise.all(
      [app, mirror].map(async (on) => (await on.query<{ keys: string }>(text)).rows[0]!.keys),
    );
    if (there !== here) problems.push(`${table}: there ${there}, read ${here}`);
  }
  return problems;
}

const KEYS = {
  'auth.users': 'id::text',
  'public.profiles': 'id::text',
  'public.customers': 'id',
  'public.orders': 'id::text',
  'public.tickets': `team || '/' || nr`,
  'public.payments': 'id::text',
};

/** Orders of the project that never were an event. */
async function given(): Promise<readonly string[]> {
  const { rows } = await app.query<{ row: string }>(`select 'orders ' || id as row from public.orders`);
  const { rows: known } = await mirror.query<{ row: string }>(
    `select row_key as row from oracle.audit where name = 'order_placed'`,
  );
  const all = new Set(known.map(({ row }) => row));
  return rows.map(({ row }) => row).filter((row) => !all.has(row));
}

/** How things stood on the mirror after each write, and which of them an event came with. */
const STATES = `
create table oracle.states (id bigint generated always as identity primary key, state json not null);
create function oracle.note() returns trigger language plpgsql security definer as $$
begin
  insert into oracle.states (state) select to_json(x) from (${STANDING}) x
   where to_json(x)::text is distinct from (select s.state::text from oracle.states s order by s.id desc limit 1);
  return null;
end $$;
create trigger oracle_note after insert or update or delete on auth.users for each statement execute function oracle.note();
create trigger oracle_note after insert or update or delete on public.customers for each statement execute function oracle.note();
create function oracle.count_states() returns int language sql as 'select count(*)::int from oracle.states';
alter table oracle.audit add commit int not null default oracle.count_states();
`;
