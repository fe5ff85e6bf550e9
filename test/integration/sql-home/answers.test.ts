import { expect, test } from 'vitest';
import type { Destination, HttpResponse } from '../../../src/core/destination.ts';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import type { Outcome } from '../../../src/core/outcome.ts';
import { registry } from '../../../src/destinations/registry.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { createWorld } from '../../support/world.ts';
import { answersOf, GONE, goldenOf, LOOKED_UP, PROGRESS, type Sent, sentTo, textOf, WAITS } from './answers.ts';
import { createPlatform, deploySql } from './support.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const DESTINATIONS = `mailtrap: { api_token: "\${vault:KEY}", lists: [3, 4] }
sendry: { api_key: "\${vault:KEY}", audience_id: aud_1, upsert_keeps_unsubscribed: true }
brevo: { api_key: "\${vault:KEY}", lists: [5] }
webhook: { secret: "\${vault:KEY}", url: "https://hooks.example.com/in" }`;
const SEGMENT = 'segments: { pro: { filter: email=eq.x, destination: brevo, list: 8 } }';
const NAMES = ['sendry', 'brevo', 'mailtrap', 'webhook'];

let db: TestDatabase;
const made = new Map<string, { destination: Destination<unknown>; config: unknown }>();

async function deploy(): Promise<void> {
  db = await createDatabase();
  await createPlatform(db, { KEY: SECRET });
  const world = await createWorld({ db, instead: DESTINATIONS, more: SEGMENT });
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

/** Differences in the word for a cause, by what was sent and what the worker says; the outcome is of the same kind. */
const OTHER_WORDS: readonly {
  readonly what: string;
  readonly worker: string;
  readonly sql: string;
  readonly because: string;
}[] = [
  {
    what: 'sendry many',
    worker: 'import_refused',
    sql: 'rows_skipped',
    because: 'The shape of its errors is documented nowhere: each contact goes alone, and is told by its own answer.',
  },
  {
    what: 'mailtrap many',
    worker: 'http_4',
    sql: 'http_422',
    because: 'A row is read as an answer of status 422, which is the only one that names rows.',
  },
  { what: 'mailtrap upsert', worker: 'http_4', sql: 'http_422', because: 'An import of one is an import.' },
];

function isOtherWord(what: string, worker: Done, sql: Done): boolean {
  return (
    worker.kind === sql.kind &&
    OTHER_WORDS.some(
      (each) => each.what === what && worker.code?.startsWith(each.worker) === true && sql.code === each.sql,
    )
  );
}

async function compareAnswers(name: string): Promise<void> {
  const { destination, config } = made.get(name)!;
  const sent = sentTo(destination, config);
  const answers = answersOf(name);
  const found = await readInSql(name, sent, answers);
  for (const [s, { what, read }] of sent.entries()) {
    for (const [n, answer] of answers.entries()) {
      const worker = inWorker(read(answer));
      const sql = found[s]![n]!;
      if (isOtherWord(`${name} ${what}`, worker, sql)) continue;
      expect(sql, `${name} ${what} ${answer.status} ${answer.body}`).toEqual(worker);
    }
  }
}

/** The golden cases whose requests the database sends as well. */
async function compareGolden(name: string): Promise<number> {
  const { destination, config } = made.get(name)!;
  const sent = new Map(sentTo(destination, config).map((each) => [each.what, each]));
  const pairs = goldenOf(name).flatMap(({ name: title, requests, responses, outcomes }) =>
    requests.flatMap(({ method = 'POST', url = '', body }, n) => {
      const step = sent.get(stepOf(name, method, url, body));
      const outcome = outcomes[n];
      if (step === undefined || outcome === undefined || outcomes.length !== requests.length) return [];
      const { status, headers = {}, body: answered } = responses[n]!;
      const ids = { remote_id: 'remoteId' in outcome ? outcome.remoteId : null };
      return [
        {
          title,
          outcome,
          step: { ...step, facts: { ...step.facts, ...ids } as JsonObject },
          answer: { status, headers, body: textOf(answered) },
        },
      ];
    }),
  );
  for (const { title, step, answer, outcome } of pairs) {
    const [[sql] = []] = await readInSql(name, [step], [answer]);
    expect(sql, `${name}: ${title}`).toEqual(inWorker(outcome));
  }
  return pairs.length;
}

/** What the database calls a request of the worker; empty where it sends none like it. */
function stepOf(name: string, method: string, url: string, body: Json): string {
  if (method === 'DELETE') return 'delete';
  if (method !== 'POST' || url.includes('/audiences/') || url.endsWith('/batch')) return '';
  if (name === 'webhook') {
    const { type } = body as { readonly type: string };
    return (
      { 'contact.upserted': 'upsert', 'contact.unsubscribed': 'unsubscribe', 'contact.deleted': 'delete' }[type] ??
      'event'
    );
  }
  if (url.endsWith('/events')) return 'event';
  const { unsubscribed, emailBlacklisted } = body as JsonObject;
  return unsubscribed === true || emailBlacklisted === true ? 'upsert of who left' : 'upsert';
}

async function compareLookups(name: string): Promise<void> {
  const { destination, config } = made.get(name)!;
  const answers = [200, 204, 302, 401, 403, 404, 422, 429, 503].flatMap((status) =>
    LOOKED_UP.map((body): HttpResponse => ({ status, headers: {}, body: textOf(body) })),
  );
  for (const id of ['42', null]) {
    const exchange = destination.lookup!({ id, address: 'ann@example.com' }, config);
    const { rows } = await db.app.query<{ read: JsonObject }>(
      `select rollcall.read_lookup(d ->> 'name', d -> 'lookup', a.value, $3) as read from rollcall.destinations x cross join rollcall.declared_of(x.id) d
         cross join jsonb_array_elements($2) with ordinality a(value, n) where x.name = $1 order by a.n`,
      [name, JSON.stringify(answers), id === null ? 'ann@example.com' : null],
    );
    for (const [n, answer] of answers.entries()) {
      const worker = exchange.interpret(answer);
      const { found, subscription, outcome } = rows[n]!.read;
      const sql =
        outcome === undefined
          ? { found, ...(subscription === undefined ? {} : { subscription }) }
          : inSql(outcome as JsonObject);
      const want = worker.ok
        ? {
            found: worker.value !== null,
            ...(worker.value === null ? {} : { subscription: worker.value.subscription }),
          }
        : inWorker(worker.outcome);
      expect(sql, `${name} ${answer.status} ${answer.body}`).toEqual(want);
    }
  }
}

async function compareProgress(name: string): Promise<void> {
  const { destination } = made.get(name)!;
  const answers = [200, 202, 302, 401, 404, 422, 429, 503].flatMap((status) =>
    PROGRESS.map((body): HttpResponse => ({ status, headers: {}, body: textOf(body) })),
  );
  const { rows } = await db.app.query<{ read: JsonObject | null }>(
    `select rollcall.read_progress(p, d ->> 'name', a.value) as read from rollcall.destinations x cross join rollcall.declared_of(x.id) d
       cross join lateral (select (jsonb_populate_record(null::rollcall.posts, jsonb_build_object('destination_id', x.id, 'begun_at', clock_timestamp(),
         'posted_at', clock_timestamp(), 'step', jsonb_build_object('watch', d -> 'bulk' -> 'watch')))).*) p
       cross join jsonb_array_elements($2) with ordinality a(value, n) where x.name = $1 order by a.n`,
    [name, JSON.stringify(answers)],
  );
  for (const [n, answer] of answers.entries()) {
    const progress = destination.bulk!.watch!.progress(answer);
    const { read } = rows[n]!;
    const why = `${name} ${answer.status} ${answer.body}`;
    if (progress.kind === 'partial') expect(read?.['kind'], why).toBe('reject');
    else if (progress.kind === 'ended')
      expect(read === null ? null : inSql(read), why).toEqual(inWorker(progress.outcome));
    else expect(read, why).toBeNull();
  }
}

async function compareWaits(): Promise<void> {
  const { destination } = made.get('brevo')!;
  const [first] = destination.encode(GONE, {}, made.get('brevo')!.config);
  const answers = [429, 503].flatMap((status) => WAITS.map((headers): HttpResponse => ({ status, headers, body: '' })));
  const { rows } = await db.app.query<{ ms: string | null }>(
    `select rollcall.retry_after_ms(a.value -> 'headers', (a.value ->> 'status')::int) as ms from jsonb_array_elements($1) with ordinality a(value, n) order by n`,
    [JSON.stringify(answers)],
  );
  for (const [n, answer] of answers.entries()) {
    const [outcome] = destination.interpret(answer, [first!]);
    const { ms } = rows[n]!;
    const want = outcome?.kind === 'delivered' ? undefined : outcome?.retryAfterMs;
    expect(ms === null ? undefined : Number(ms), JSON.stringify(answer)).toBe(want);
  }
}

/** How many rows an answer to an import says it took. */
async function countTaken(bodies: readonly Json[]): Promise<readonly (number | null)[]> {
  const { rows } = await db.app.query<{ taken: number | null }>(
    `select rollcall.taken_of(jsonb_build_object('body', b.value)) as taken from jsonb_array_elements($1) with ordinality b(value, n) order by n`,
    [JSON.stringify(bodies.map(textOf))],
  );
  return rows.map(({ taken }) => taken);
}

/** The rows of an import that a refusal names, as they are settled. */
async function rowsNamed(name: string, body: Json): Promise<readonly JsonObject[]> {
  const { rows } = await db.app.query<{ token: string }>(
    `insert into rollcall.jobs (token, destination_id, state, contacts, versions, addresses, held_until, gives_up_at)
       select gen_random_uuid(), x.id, 'sending', '{1,2,3}', '{4,5,6}', '{ann@example.com,Bob@example.com,cy@example.com}', clock_timestamp(), clock_timestamp()
         from rollcall.destinations x where x.name = $1 returning token`,
    [name],
  );
  const named = await db.app.query<{ rows: JsonObject[] }>(
    `select rollcall.named_rows(d ->> 'name', d -> 'bulk', $2, $3, p.settings -> 'retry') as rows
       from rollcall.pump p, rollcall.destinations x cross join rollcall.declared_of(x.id) d where x.name = $1`,
    [name, rows[0]!.token, JSON.stringify({ status: 422, headers: {}, body: textOf(body) })],
  );
  return named.rows[0]!.rows;
}

test('answers mean to the database what they mean to the worker', async () => {
  await deploy();
  for (const name of NAMES) await compareAnswers(name);
  const golden = [];
  for (const name of NAMES) golden.push(await compareGolden(name));
  expect(Math.min(...golden), 'of each destination some').toBeGreaterThan(7);
  for (const name of ['sendry', 'brevo', 'mailtrap']) await compareLookups(name);
  for (const name of ['brevo', 'mailtrap']) await compareProgress(name);
  await compareWaits();
  expect(
    await countTaken([
      { created: 1, updated: 2 },
      { data: { imported: 4, skipped: 0, errors: [] } },
      { updated: 1 },
      { imported: '9' },
      { imported: 1.5 },
      { imported: 2, errors: [{}] },
      {},
      [],
      '<html>',
    ]),
  ).toEqual([3, 4, 1, null, null, null, null, null, null]);
  const refused = [
    { email: 'bob@example.com', errors: { email: ['is invalid'] } },
    { email: 'ann@example.com', errors: { email: [['has already been taken']] } },
    { email: 'dee@example.com', errors: { email: ['is invalid'] } },
  ];
  expect(await rowsNamed('mailtrap', { errors: refused })).toEqual([
    expect.objectContaining({
      contact: 2,
      version: 5,
      address: 'Bob@example.com',
      outcome: 'reject',
      code: 'invalid_email',
      wait_ms: 0,
    }),
    expect.objectContaining({ contact: 1, version: 4, outcome: 'retry', code: 'email_conflict' }),
  ]);
  for (const body of [{ errors: ['limit'] }, { errors: { email: ['is invalid'] } }, '<html>']) {
    expect(await rowsNamed('mailtrap', body)).toEqual([]);
  }
});
