import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../../src/config/load.ts';
import { registry } from '../../../src/destinations/registry.ts';
import { seededRandom } from '../../../src/sandbox/seeded-random.ts';
import type { Sandbox } from '../../../src/sandbox/types.ts';
import { applyInstall } from '../../../src/sql/apply.ts';
import { openPg } from '../../../src/sql/pg.ts';
import { projectRef } from '../../../src/sql/project-ref.ts';
import { connectorYaml } from '../interleaving/tables.ts';
import { type AppSide, openAppSide } from './app-side.ts';
import { OWNER } from './app.ts';
import { type Crew, startCrew } from './crew.ts';
import { destinationsYaml, GRACE_MS, openDestinations } from './destinations.ts';
import { type Evidence, watchChanges } from './evidence.ts';
import { gather } from './gather.ts';
import { judge, tooSlow } from './judge.ts';
import { type Plan, planOf } from './plan.ts';
import { type Proxy, startProxy } from './proxy.ts';
import { quiet } from './quiet.ts';
import type { Stage } from './stage.ts';
import { storm } from './storm.ts';

/** What a run came to. */
export interface Verdict {
  readonly seed: number;
  /** Why the run says nothing: the machine did what only the proxy may do. */
  readonly void: string | undefined;
  /** What was wrong, in words; nothing when all was well. */
  readonly problems: readonly string[];
  readonly evidence: Evidence;
  readonly seconds: number;
  /** From the end of the storm until nothing was due. */
  readonly quietMs: number;
}

/** After so many nothing can be said on this machine, now. */
const TRIES = 3;

/**
 * Plays a seed, and again when the machine was too slow for it to say anything.
 * @param onVoid told why it is played again
 * @throws Error when it can't be played at all
 */
export async function playUntilTold(
  stage: Stage,
  seed: number,
  onVoid: (why: string) => void = () => undefined,
): Promise<Verdict> {
  for (let tries = 1; ; tries += 1) {
    const verdict = await play(stage, seed);
    if (verdict.void === undefined || tries === TRIES) return verdict;
    onVoid(verdict.void);
  }
}

/**
 * Plays one seed on a fresh database.
 * @throws Error when it can't be played at all
 */
async function play(stage: Stage, seed: number): Promise<Verdict> {
  const begunAt = performance.now();
  const plan = planOf(seed);
  const name = `chaos_${seed}_${randomUUID().slice(0, 8)}`;
  const { url, hostedUrl } = await stage.createDatabase(name);
  const sends = join(tmpdir(), `rollcall-${name}.sends`);
  const sandbox = await openDestinations();
  const changes = watchChanges(sandbox);
  const proxy = await startProxy(sandbox.url, GRACE_MS, seededRandom(seed ^ 0x5eed));
  let crew: Crew | undefined;
  let app: AppSide | undefined;
  try {
    const yaml = yamlOf(plan, hostedUrl, sandbox, proxy);
    await install(yaml, hostedUrl);
    app = await openAppSide(url);
    crew = await startCrew(stage.workers, yaml, sends, plan.setup.skewMs);
    const parts = { stage, plan, app, crew, proxy, sandbox };
    const stormed = await storm(parts);
    const problems: string[] = [];
    let quietMs = 0;
    try {
      quietMs = await quiet(app, proxy);
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
    const ends = await crew.leave();
    const evidence = await gather(parts, changes, stormed, sends);
    problems.push(...ends, ...judge(evidence));
    return {
      seed,
      void: tooSlow(evidence),
      problems,
      evidence,
      seconds: (performance.now() - begunAt) / 1_000,
      quietMs,
    };
  } finally {
    await crew?.abandon();
    await app?.close();
    await proxy.close();
    await sandbox.close();
    await stage.dropDatabase(name);
    await rm(sends, { force: true });
  }
}

function yamlOf({ setup }: Plan, hostedUrl: string, sandbox: Sandbox, proxy: Proxy): string {
  return `database_url: ${JSON.stringify(hostedUrl)}
environment: test
${connectorYaml(`N: { sql: "(user_metadata ->> 'n')::bigint", when_null: clear }
        OWNER: { sql: "${OWNER}" }`)}
destinations:
${destinationsYaml(setup, sandbox, proxy.url)}
consent: { everyone: "they agreed to the terms" }
delivery: { grace: ${GRACE_MS}ms, retry: { first: 100ms, factor: 2, longest: 1s } }
brakes: off
wake: ${setup.wake}
`;
}

async function install(yaml: string, hostedUrl: string): Promise<void> {
  const config = parseConfig(yaml, { file: 'rollcall.yaml', env: {}, registry });
  const sql = openPg({ url: hostedUrl });
  try {
    await applyInstall(sql, config, projectRef(hostedUrl, undefined));
  } finally {
    await sql.close();
  }
}
