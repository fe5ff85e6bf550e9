import { expect, test } from 'vitest';
import type { Destination, HttpResponse } from '../../../src/core/destination.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { Outcome } from '../../../src/core/outcome.ts';
import { registry } from '../../../src/destinations/registry.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { createWorld } from '../../support/world.ts';
import { answersOf, type Sent, sentTo } from './answers.ts';
import { createPlatform, deploySql } from './support.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const DESTINATIONS = `mailtrap: { api_token: "\${vault:KEY}", lists: [3, 4] }
sendry: { api_key: "\${vault:KEY}", audience_id: aud_1, upsert_keeps_unsubscribed: true }
brevo: { api_key: "\${vault:KEY}", lists: [5] }
webhook: { secret: "\${vault:KEY}", url: "https://hooks.example.com/in" }`;
const NAMES = ['sendry', 'brevo', 'mailtrap', 'webhook'];

let db: TestDatabase;
const made = new Map<string, { destination: Destination<unknown>; config: unknown }>();

async function deploy(): Promise<void> {
  db = await createDatabase();
  await createPlatform(db, { KEY: SECRET });
  const world = await createWorld({ db, instead: DESTINATIONS });
  await deploySql(db, world.config);
  for (const { name, options: config } of world.config.destinations) {
    const destination = registry.find(({ id }) => id === name);
    if (destination !== undefined) made.set(name, { destination, config });
  }
}

/** What an outcome does, by the worker's names. */
interface Done {
  readonly kind: string;
  readonly code?: string | undefined;
  readonly remoteId?: string | undefined;
  readonly forgetRemote?: boolean | undefined;
  readonly untilApply?: boolean | undefined;
  readonly retryAfterMs?: number | undefined;
}

function inWorker(outcome: Outcome): Done {
  const { kind } = outcome;
  if (outcome.kind === 'delivered')
    return outcome.remoteId === undefined ? { kind } : { kind, remoteId: outcome.remoteId };
  const { code, forgetRemote, untilApply, retryAfterMs } = outcome;
  return {
    kind,
    code,
    ...(forgetRemote === undefined ? {} : { forgetRemote }),
    ...(untilApply === undefined ? {} : { untilApply }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function inSql({ kind, code, remote_id, forget_remote, until_apply, retry_after_ms }: JsonObject): Done {
  const done = {
    kind,
    code,
    remoteId: remote_id,
    forgetRemote: forget_remote,
    untilApply: until_apply,
    retryAfterMs: retry_after_ms,
  };
  return Object.fromEntries(Object.entries(done).filter(([, value]) => value !== undefined)) as unknown as Done;
}

/** What the database makes of each answer to each of what was sent. */
async function readInSql(
  name: string,
  sent: readonly Sent[],
  answers: readonly HttpResponse[],
): Promise<readonly (readonly Done[])[]> {
  const { rows } = await db.app.query<{ outcomes: JsonObject[] }>(
    `select jsonb_agg(rollcall.read_step(d ->> 'name', d #> array(select jsonb_array_elements_text(s.value -> 'step')), a.value,
        s.value -> 'facts' || case when s.value ->> 'what' = 'many' then jsonb_build_object('all_taken', rollcall.taken_of(a.value) >= 1) else '{}' end) order by a.n) as outcomes
       from rollcall.destinations x cross join rollcall.declared_of(x.id) d
       cross join jsonb_array_elements($2) with ordinality s(value, n) cross join jsonb_array_elements($3) with ordinality a(value, n)
      where x.name = $1 group by s.n order by s.n`,
    [name, JSON.stringify(sent), JSON.stringify(answers)],
  );
  return rows.map(({ outcomes }) => outcomes.map(inSql));
}

test('answers mean to the database what they mean to the worker', async () => {
  await deploy();
  for (const name of NAMES) {
    const { destination, config } = made.get(name)!;
    const sent = sentTo(destination, config);
    const answers = answersOf(name);
    const t = performance.now();
    const found = await readInSql(name, sent, answers);
    console.log(name, sent.length * answers.length, performance.now() - t);
    const out: string[] = [];
    for (const [s, { what, read }] of sent.entries()) {
      for (const [n, answer] of answers.entries()) {
        const a = inWorker(read(answer)),
          b = found[s]![n]!;
        const f = (x: any) => `${x.kind} ${x.code ?? ''} ${x.remoteId ?? ''} ${x.forgetRemote ?? ''}`;
        if (JSON.stringify(a) !== JSON.stringify(b))
          out.push(`${what} ${answer.status} ${answer.body.slice(0, 150)}: worker ${f(a)} / sql ${f(b)}`);
      }
    }
    (await import('node:fs')).writeFileSync(`/tmp/diff-${name}.txt`, out.join('\n'));
  }
});
