import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import type { Delivery, Destination, HttpRequest } from '../../../src/core/destination.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { registry } from '../../../src/destinations/registry.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { createWorld } from '../../support/world.ts';
import { type Case, cases, events, PLAN, rows as manyRows } from './deliveries.ts';
import { createPlatform, deploySql } from './support.ts';

const RUNS = Number(process.env['ROLLCALL_PROPERTY_RUNS'] ?? 150);
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

const DESTINATIONS = `mailtrap: { api_token: "\${vault:KEY}", lists: [3, 4] }
sendry: { api_key: "\${vault:KEY}", audience_id: aud_1, upsert_keeps_unsubscribed: true }
brevo: { api_key: "\${vault:KEY}", lists: [5] }
webhook: { secret: "\${vault:KEY}", url: "https://hooks.example.com/in" }`;

const SEGMENTS = `segments:
${['mailtrap', 'brevo'].flatMap((name) => [8, 9].map((list) => `  ${name}${list}: { filter: email=eq.x, destination: ${name}, list: ${list} }\n`)).join('')}`;

/** A request as both homes make it: its own headers, and its body parsed. */
interface Said {
  readonly method: string;
  readonly url: string;
  readonly headers?: JsonObject;
  readonly body?: unknown;
}

let db: TestDatabase;
let origin: NonNullable<Delivery['origin']>;
const options = new Map<string, { id: number; destination: Destination<unknown>; config: unknown }>();

async function deploy(): Promise<void> {
  db = await createDatabase();
  await createPlatform(db, { KEY: SECRET });
  const world = await createWorld({ db, instead: DESTINATIONS, more: SEGMENTS });
  await deploySql(db, world.config);
  await db.app.query('update rollcall.destinations set plan = $1', [JSON.stringify(PLAN)]);
  // What next_step makes of each answer that says yes.
  await db.app
    .query(`create function rollcall.all_requests(p_destination smallint, p_row jsonb, p_said text, p_events jsonb default '[]') returns jsonb language plpgsql as $$
    declare v_declared jsonb := rollcall.declared_of(p_destination); v_post rollcall.posts; v_all jsonb := '[]';
    begin
      v_post.destination_id := p_destination; v_post.done := '{}';
      v_post.facts := rollcall.derive_facts(rollcall.facts_of(p_destination, p_row) || jsonb_build_object('subscription', p_said));
      v_post.left_over := rollcall.steps_of(v_declared - 'lookup', v_post.facts, p_events);
      loop
        v_post := rollcall.next_step(v_post, v_declared);
        if v_post.step is null then return jsonb_build_object('requests', v_all, 'outcome', coalesce(v_post.done -> 'outcome', v_post.done -> 'events' -> 0)); end if;
        v_all := v_all || jsonb_build_array(v_post.step -> 'request');
        v_post := rollcall.note_outcome(v_post, '{"kind": "delivered"}', 0);
      end loop;
    end $$`);
  for (const { name, options: config } of world.config.destinations) {
    const destination = registry.find(({ id }) => id === name);
    const { rows } = await db.app.query<{ id: number }>('select id from rollcall.destinations where name = $1', [name]);
    if (destination !== undefined) options.set(name, { id: rows[0]!.id, destination, config });
  }
  const { rows } = await db.app.query<{ id: string; epoch: string }>(
    'select id::text, floor(extract(epoch from bound_at) * 1000)::text as epoch from rollcall.install',
  );
  origin = { id: rows[0]!.id, epoch: Number(rows[0]!.epoch) };
}

async function inSql(
  id: number,
  all: readonly Case[],
): Promise<readonly { requests: readonly Said[]; outcome: JsonObject | null }[]> {
  const { rows } = await db.app.query<{ made: { requests: readonly Said[]; outcome: JsonObject | null } }>(
    `select rollcall.all_requests($1::smallint, c.value -> 'row', c.value ->> 'subscription') as made from jsonb_array_elements($2) with ordinality c(value, n) order by n`,
    [id, JSON.stringify(all)],
  );
  return rows.map(({ made }) => made);
}

function inWorker(name: string, { delivery }: Case): readonly HttpRequest[] {
  const { id, destination, config } = options.get(name)!;
  const told = { ...delivery, origin: { id: `${origin.id}-${id}`, epoch: origin.epoch } };
  return destination.encode(told, PLAN, config).map((operation) => destination.request([operation], config));
}

/** The worker's own request, for comparison: without the headers that every request has. */
function said({ method, url, body, headers }: HttpRequest): Said {
  const id = headers['webhook-id'];
  return {
    method,
    url,
    ...(id === undefined ? {} : { headers: { 'webhook-id': id } }),
    ...(body === null ? {} : { body: JSON.parse(body) as unknown }),
  };
}

async function compare(name: string, expected: (each: Case) => readonly Said[] | 'dead letter'): Promise<void> {
  const { id } = options.get(name)!;
  const all = fc.sample(cases, { numRuns: RUNS, seed: 8 });
  const made = await inSql(id, all);
  for (const [n, each] of all.entries()) {
    const want = expected(each);
    const found = made[n]!;
    if (want === 'dead letter') expect(found.outcome, JSON.stringify(each)).toMatchObject({ kind: 'reject' });
    else expect(found.requests, JSON.stringify(each)).toEqual(want);
  }
}

const isPresent = (text: string | null | undefined): text is string =>
  text !== null && text !== undefined && text !== '';
const same = (a: string | null | undefined, b: string | null): boolean => a?.toLowerCase() === b?.toLowerCase();

/** What the worker sends, and the database too but for what a PATCH or PUT is replaced by. */
function replaced(name: string, each: Case, post: (request: Said) => readonly Said[]): readonly Said[] {
  const { destination, config } = options.get(name)!;
  const operations = destination.encode(each.delivery, PLAN, config);
  return operations.flatMap((operation): readonly Said[] => {
    const request = said(destination.request([operation], config));
    if (request.method === 'PATCH' || request.method === 'PUT') return post(request);
    if (operation.find === undefined) return [request];
    const { url } = destination.lookup!({ address: operation.find, id: null }, config).request;
    return [{ method: 'GET', url }];
  });
}

function sendry(each: Case): readonly Said[] {
  const { delivery } = each;
  const { remote, address, action } = delivery;
  const contacts = 'https://api.sendry.online/v1/contacts';
  const joins = remote?.met === true && remote.imported !== true;
  const moves = isPresent(remote?.id) && !same(remote.address, address);
  return replaced('sendry', each, ({ body }) => {
    if (action === 'unsubscribe') {
      const told = { email: remote?.address, unsubscribed: true };
      return isPresent(remote?.address) ? [{ method: 'POST', url: contacts, body: told }] : [];
    }
    const post = {
      method: 'POST',
      url: contacts,
      body: { ...(body as object), ...(joins ? { audience_id: 'aud_1' } : {}) },
    };
    return moves ? [post, { method: 'DELETE', url: `${contacts}/${remote.id}` }] : [post];
    // Who was there before us joins with the same request.
  }).filter(({ url }) => !url.includes('/audiences/'));
}

function brevo(each: Case): readonly Said[] | 'dead letter' {
  const { destination, config } = options.get('brevo')!;
  const { remote, address, action } = each.delivery;
  if (destination.encode(each.delivery, PLAN, config).some(({ refused }) => refused !== undefined))
    return 'dead letter';
  const contacts = 'https://api.brevo.com/v3/contacts';
  let first = true;
  return replaced('brevo', each, ({ body }) => {
    if (!first) return [];
    first = false;
    if (action === 'unsubscribe') {
      return isPresent(remote?.address)
        ? [{ method: 'POST', url: contacts, body: { email: remote.address, updateEnabled: true, ...(body as object) } }]
        : [];
    }
    const {
      attributes,
      unlinkListIds = [],
      ...rest
    } = body as {
      attributes?: Record<string, unknown>;
      unlinkListIds?: readonly number[];
    };
    // A POST has no place for that.
    const left = unlinkListIds.map((list) => ({
      method: 'POST',
      url: `${contacts}/lists/${list}/contacts/remove`,
      body: { emails: [address] },
    }));
    const { EMAIL: _, ...others } = attributes ?? {};
    const kept = Object.keys(others).length === 0 ? {} : { attributes: others };
    const post = { method: 'POST', url: contacts, body: { email: address, updateEnabled: true, ...rest, ...kept } };
    if (isPresent(remote?.id)) {
      const old = { method: 'DELETE', url: `${contacts}/${encodeURIComponent(remote.id)}?identifierType=contact_id` };
      return same(remote.address, address) ? [post, ...left] : [post, ...left, old];
    }
    return [
      post,
      ...left,
      { method: 'DELETE', url: `${contacts}/${encodeURIComponent(remote?.address ?? '')}?identifierType=email_id` },
    ];
  });
}

function mailtrap(each: Case): readonly Said[] | 'dead letter' {
  const { destination, config } = options.get('mailtrap')!;
  const { remote, address, action, consent } = each.delivery;
  if (action === 'upsert' && consent === 'opted_in') return 'dead letter';
  const contacts = 'https://mailtrap.io/api/contacts';
  const gone = (target: string): Said => ({ method: 'DELETE', url: `${contacts}/${encodeURIComponent(target)}` });
  const known = isPresent(remote?.id) ? remote.id : remote?.address;
  return replaced('mailtrap', each, ({ body }) => {
    if (action === 'unsubscribe') return isPresent(known) ? [gone(known)] : [];
    const { contact } = body as { contact: { unsubscribed?: boolean } };
    const moves = !same(remote?.address, address);
    // Nothing that can be sent says that somebody must not be mailed: they are not there.
    if (contact.unsubscribed === true)
      return isPresent(remote?.id) || (isPresent(known) && !moves) ? [gone(known ?? '')] : [];
    const row = destination.bulk!.row(each.delivery, PLAN, config);
    const post = said(destination.bulk!.request([row], config));
    return isPresent(remote?.id) && moves ? [post, gone(remote.id)] : [post];
  });
}

/** A row of a request for many, or that its contact has to go alone. */
async function compareRows(name: string): Promise<void> {
  const { id, destination, config } = options.get(name)!;
  const { bulk } = destination;
  const all = fc.sample(manyRows, { numRuns: RUNS, seed: 8 });
  const made = await db.app.query<{ row: unknown; alone: boolean }>(
    `select rollcall.fill(d -> 'bulk' -> 'row', f) as row,
            f ->> 'refused' is not null or d -> 'bulk' ? 'alone' and rollcall.test_holds(d -> 'bulk' -> 'alone', f) as alone
       from rollcall.declared_of($1::smallint) d cross join jsonb_array_elements($2) with ordinality c(value, n)
       cross join lateral (select x from (select 7::bigint as contact_id, 3::bigint as version, c.value ->> 'address' as address, c.value ->> 'attributes' as payload,
           'basis' as consent, coalesce(c.value -> 'remote' ->> 'imported', 'false')::boolean as imported, coalesce(c.value -> 'remote' ->> 'met', 'false')::boolean as met, c.value ->> 'lists' as lists) x) x
       cross join lateral rollcall.row_facts(d, $3, x.x) f order by n`,
    [id, JSON.stringify(all), JSON.stringify(PLAN)],
  );
  for (const [n, each] of all.entries()) {
    const found = made.rows[n]!;
    const alone = bulk?.alone?.(each, PLAN, config) === true;
    expect(found.alone, JSON.stringify(each)).toBe(alone);
    // What a row says to ourselves alone.
    const { audience_id: _, ...row } = bulk!.row(each, PLAN, config);
    if (!alone) expect(found.row, JSON.stringify(each)).toEqual(JSON.parse(JSON.stringify(row)));
  }
}

async function compareEvents(name: string): Promise<void> {
  const { id, destination, config } = options.get(name)!;
  const all = fc.sample(events, { numRuns: RUNS, seed: 8 });
  const row = {
    contact_id: 7,
    version: 3,
    action: 'upsert',
    payload: '{}',
    consent: 'basis',
    takeover: false,
    delivered: true,
    send_state: false,
    imported: false,
  };
  const made = await db.app.query<{ made: { requests: readonly Said[]; outcome: JsonObject | null } }>(
    `select rollcall.all_requests($1::smallint, $2 || jsonb_build_object('remote_address', c.value -> 'remote' -> 'address', 'remote_id', c.value -> 'remote' -> 'id'),
       null, jsonb_build_array(c.value -> 'event')) as made from jsonb_array_elements($3) with ordinality c(value, n) order by n`,
    [id, JSON.stringify(row), JSON.stringify(all)],
  );
  for (const [n, { event, remote }] of all.entries()) {
    const operation = destination.encodeEvent!(event, remote, config);
    const found = made.rows[n]!.made;
    const why = JSON.stringify({ event, remote });
    if (operation.refused !== undefined) {
      expect(found.outcome, why).toMatchObject({
        outcome: 'reject',
        code: (operation.refused as { code: string }).code,
      });
    } else {
      expect(found.requests, why).toEqual([said(destination.request([operation], config))]);
    }
  }
}

test('the database says what the worker says, and says by POST and DELETE what the worker says by PATCH and PUT', async () => {
  await deploy();
  await compare('webhook', (each) => inWorker('webhook', each).map(said));
  await compare('sendry', sendry);
  await compare('brevo', brevo);
  await compare('mailtrap', mailtrap);
  for (const name of ['mailtrap', 'sendry', 'brevo']) await compareRows(name);
  for (const name of options.keys()) await compareEvents(name);
});

test('who sends is proved as the worker proves it', async () => {
  await deploy();
  const body = { z: 1, a: '🎉' };
  for (const [name, { id, destination, config }] of options) {
    const { rows } = await db.app.query<{ headers: Record<string, string>; text: string }>(
      `select rollcall.auth_headers(d -> 'auth', 'm_1', $2) as headers, $2::jsonb::text as text from rollcall.declared_of($1::smallint) d`,
      [id, JSON.stringify(body)],
    );
    const { headers, text } = rows[0]!;
    const auth = destination.auth(config);
    if ('header' in auth) {
      const own = auth.value.replace(/\S*rollcall-placeholder\S*/, SECRET);
      expect(headers, name).toEqual({ [auth.header]: own });
    } else {
      expect(() => new Webhook(SECRET).verify(text, { 'webhook-id': 'm_1', ...headers })).not.toThrow();
    }
  }
});
