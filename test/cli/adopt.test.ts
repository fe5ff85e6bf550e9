import { expect, test } from 'vitest';
import { erase, erased, ERASURE, startFast } from '../support/erasing.ts';
import { eventually, signUpMany } from '../support/people.ts';
import { old, READABLE, work } from './old-contacts.ts';

const HOSTILE = { FIRSTNAME: `'); drop table x;-- "Ann"\n{{x}} ü`, N: '1' };

test.each(READABLE)(
  '%s: nobody there is subscribed again or made twice, ids stay, and equal ones get no request',
  async (id) => {
    const { world, sandbox, changes, adopt, put, facts, writes } = await old([id]);
    const standIn = sandbox.of(id).standIn;
    const ids: Record<string, string> = {};
    for (const name of ['equal', 'stale', 'left', 'spam']) ids[name] = await put(id, `${name}@example.com`, HOSTILE);
    ids['case'] = await put(id, 'CASE@Example.com', { FIRSTNAME: 'Other', N: '1' });
    ids['bounced'] = await put(id, 'bounced@example.com', HOSTILE);
    await put(id, 'stranger@elsewhere.org', HOSTILE);
    ids['later'] = await put(id, 'later@example.com', HOSTILE);
    for (const name of ['left', 'later']) standIn.optOut(`${name}@example.com`, 'unsubscribe');
    standIn.optOut('spam@example.com', 'complaint');
    standIn.optOut('bounced@example.com', 'bounce');
    const { FIRSTNAME: hostile } = HOSTILE;
    for (const name of ['equal', 'left', 'spam', 'case', 'bounced', 'new'])
      await world.signUp(`${name}@example.com`, { full_name: hostile, n: '1' });
    await world.signUp('stale@example.com', { full_name: 'Newer', n: '1' });
    const since = changes.length;
    writes();

    const [first] = await adopt();
    expect(writes()).toEqual([]);
    expect(first).toMatchObject({
      destination: id,
      there: 8,
      ours: 6,
      adopted: 6,
      equal: 4,
      missing: 1,
      doubles: 0,
      unknown: 2,
      recorded: 4,
      unread: [],
      samples: [],
    });
    const told = await facts();
    expect(told.map(({ address, known, origin }) => ({ address, known, origin }))).toEqual(
      ['bounced', 'later', 'left', 'spam'].map((name) => ({
        address: `${name}@example.com`,
        known: name !== 'later',
        origin: `destination:${id}`,
      })),
    );
    expect((await adopt())[0]).toMatchObject({ adopted: 0, equal: 0, recorded: 0 });
    expect(await facts()).toEqual(told);

    await work(world);
    const sent = writes();
    expect(sent, 'the new one, the one in another case, and the one with other values').toHaveLength(3);
    const kept = Object.keys(ids).filter((name) => standIn.contact(ids[name]!) !== undefined);
    expect(kept).toEqual(Object.keys(ids));
    expect(standIn.contactCount).toBe(9);
    expect(standIn.contact(ids['case'])?.attributes).toMatchObject({ FIRSTNAME: hostile });
    expect(standIn.contact(ids['stale']!)?.attributes).toMatchObject({ FIRSTNAME: 'Newer' });
    expect(standIn.contact('new@example.com')?.status).toBe('subscribed');
    const later = await world.signUp('Later@example.com', { full_name: hostile, n: '1' });
    await work(world);
    const isIn = (name: string): boolean => standIn.contact(`${name}@example.com`)?.status === 'subscribed';
    expect(['left', 'spam', 'later'].filter(isIn)).toEqual([]);
    expect(['equal', 'stale', 'case'].filter(isIn)).toEqual(['equal', 'stale', 'case']);
    const { rows } = await world.db.app.query('select rollcall.can_email($1::uuid) as can', [later]);
    expect(rows).toEqual([{ can: false }]);
    expect(changes.slice(since).filter(({ kind }) => kind === 'opted_in' || kind === 'deleted')).toEqual([]);
  },
);

test('who left one destination is told to the others before anything else, and nobody is ever subscribed', async () => {
  const { world, sandbox, changes, adopt, put } = await old(['brevo', 'mailtrap']);
  for (const name of ['ann', 'bob']) {
    for (const id of ['brevo', 'mailtrap']) await put(id, `${name}@example.com`, { FIRSTNAME: name, N: '1' });
    await world.signUp(`${name}@example.com`, { full_name: name, n: '1' });
  }
  await put('mailtrap', 'cleo@example.com');
  await world.signUp('cleo@example.com', { full_name: 'cleo' });
  for (const name of ['ann', 'cleo']) sandbox.of('mailtrap').standIn.optOut(`${name}@example.com`, 'unsubscribe');
  const since = changes.length;
  const [brevo, mailtrap] = await adopt();
  expect(brevo).toMatchObject({ destination: 'brevo', ours: 2, equal: 2, missing: 1, recorded: 0 });
  expect(mailtrap).toMatchObject({ destination: 'mailtrap', ours: 3, equal: 2, recorded: 2 });
  // Without a worker: it holds everywhere before one begins.
  const { rows } = await world.db.app.query(
    `select d.name, s.address, s.consent from rollcall.desired s join rollcall.destinations d on d.id = s.destination_id
      where s.consent = 'opted_out' order by 1, 2`,
  );
  expect(rows.map(({ name, address }) => `${name} ${address}`)).toEqual(
    ['brevo', 'mailtrap'].flatMap((name) => ['ann', 'cleo'].map((each) => `${name} ${each}@example.com`)),
  );
  await work(world);
  for (const id of ['brevo', 'mailtrap']) {
    const status = (name: string): string | undefined => sandbox.of(id).standIn.contact(`${name}@example.com`)?.status;
    expect([id, status('ann'), status('bob'), status('cleo')]).toEqual([
      id,
      'unsubscribed',
      'subscribed',
      'unsubscribed',
    ]);
  }
  const wrong = changes
    .slice(since)
    .filter(
      ({ kind, contact }) =>
        kind === 'opted_in' || (/ann|cleo/.test(contact.address) && contact.status === 'subscribed'),
    );
  expect(wrong).toEqual([]);
});

test.each([
  ['mailtrap', 'lists: [News]'],
  ['brevo', 'lists: [News]'],
  ['sendry', 'lists: [News]'],
])('%s: who was there before joins the lists of a first delivery, once', async (id, options) => {
  const { world, sandbox, adopt, put, writes } = await old([id], { options: `, ${options}` });
  const { standIn } = sandbox.of(id);
  standIn.addList('News');
  const before = await put(id, 'Ann@example.com', { FIRSTNAME: 'Ann', N: '1' });
  const ann = await world.signUp('ann@example.com', { full_name: 'Ann', n: '1' });
  expect(await adopt()).toMatchObject([{ ours: 1, adopted: 1, equal: 0 }]);
  await work(world);
  expect(standIn.contact(before)?.lists).toEqual(['News']);
  writes();
  await world.db.app.query(
    `update auth.users set raw_user_meta_data = '{"full_name": "Anna", "n": "1"}' where id = $1`,
    [ann],
  );
  await work(world);
  expect(
    writes()
      .map(({ body }) => body)
      .join(),
  ).not.toMatch(/list_ids|listIds|audience/);
  expect(standIn.contactCount).toBe(1);
});

test.each(READABLE)('%s: nobody has said yes here, and who is subscribed there stays so', async (id) => {
  const { world, sandbox, changes, adopt, put } = await old([id], { consent: 'nobody' });
  const { standIn } = sandbox.of(id);
  await put(id, 'in@example.com', { FIRSTNAME: 'Old' });
  await put(id, 'out@example.com', { FIRSTNAME: 'Old' });
  standIn.optOut('out@example.com', 'unsubscribe');
  for (const name of ['in', 'out', 'new']) await world.signUp(`${name}@example.com`, { full_name: 'New' });
  const since = changes.length;
  await adopt();
  await work(world);
  const status = (name: string): string | undefined => standIn.contact(`${name}@example.com`)?.status;
  expect([status('in'), status('out'), status('new')]).toEqual(['subscribed', 'unsubscribed', 'unsubscribed']);
  expect(changes.slice(since).filter(({ kind }) => kind === 'opted_in')).toEqual([]);
  // Who was made unsubscribed by us has not left: that is nothing to be told.
  if (id !== 'mailtrap') expect(await adopt()).toMatchObject([{ recorded: 0 }]);
});

test('two contacts there at one address: one is ours, and a person is told of the other', async () => {
  const { world, sandbox, run, put } = await old(['mailtrap']);
  const { standIn } = sandbox.of('mailtrap');
  const first = await put('mailtrap', 'Ann@example.com', { FIRSTNAME: 'Ann' });
  const saved = standIn.save() as { contacts: { id: string; email: string }[] };
  const second = '00000000-0000-4000-8000-000000000002';
  standIn.load({
    ...saved,
    contacts: [...saved.contacts, { ...saved.contacts[0], id: second, email: 'ann@example.com' }],
  });
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  const ran = await run(['adopt'], { columns: 80 });
  expect(ran).toMatchObject({
    code: 0,
    stdout: `mailtrap: 2 contacts there
  people of ours, found there                       1
    adopted now, by their ids there                 1
    as they shall be already, not sent              1
  people of ours, not there                         0
  nobody of ours, left as they are                  0
  opt-outs, complaints and bounces, now known here  0
  There twice at one address: a***@example.com. Remove one of the two there by
  hand.

Nothing was sent. Next: \`rollcall start\`
`,
  });
  await work(world);
  expect([...standIn.contacts()].map(({ id }) => id)).toEqual([first, second]);
});

test.each([
  ['mailtrap', ', import_from: 20'],
  ['sendry', ', import_from: 20, upsert_keeps_unsubscribed: true'],
  ['brevo', ', import_from: 20, lists: [News]'],
])('%s: many that differ go together where their addresses are written alike', async (id, options) => {
  const { world, sandbox, adopt, put, writes } = await old([id], {
    options,
    mapping:
      'unconfirmed: true\nemail: email\nuser_metadata.full_name: { to: FIRSTNAME, when_null: clear }\nuser_metadata.n: N',
  });
  const { standIn } = sandbox.of(id);
  if (id === 'brevo') standIn.addList('News');
  const ids: string[] = [];
  for (let n = 1; n <= 120; n += 1)
    ids.push(await put(id, n <= 20 ? `P${n}@Example.com` : `p${n}@example.com`, { FIRSTNAME: 'Old', N: '5' }));
  await signUpMany(world, 120);
  await world.db.app.query(
    `update auth.users set raw_user_meta_data = '{"n": 0, "full_name": null}' where email = 'p120@example.com'`,
  );
  expect(await adopt()).toMatchObject([{ ours: 120, adopted: 120, equal: 0 }]);
  writes();
  await work(world);
  expect(writes().length).toBeLessThan(60);
  const after = [...standIn.contacts()];
  expect(after.map((each) => each.id)).toEqual(ids);
  expect(after.slice(0, 119).map(({ attributes }) => attributes['FIRSTNAME'])).toEqual(
    ids.slice(0, 119).map((_, n) => `Person ${n + 1}`),
  );
  expect(after[119]?.attributes['FIRSTNAME'] ?? '').toBe('');
  if (id === 'brevo') expect(new Set(after.flatMap(({ lists }) => lists))).toEqual(new Set(['News']));
  expect(await adopt()).toMatchObject([{ adopted: 0 }]);
  expect((await world.db.app.query('select from rollcall.desired where remote_id is null')).rows).toEqual([]);
});

test.each(['mailtrap', 'sendry', 'brevo'])('%s: while a worker delivers', async (id) => {
  const { world, sandbox, changes, adopt, put } = await old([id], { consent: 'nobody' });
  const { standIn } = sandbox.of(id);
  for (let n = 1; n <= 60; n += 1) {
    await put(id, `P${n}@example.com`, { FIRSTNAME: n % 2 === 0 ? `Person ${n}` : 'Old', N: '0' });
    if (n % 3 === 0) standIn.optOut(`p${n}@example.com`, 'unsubscribe');
  }
  const since = changes.length;
  await signUpMany(world, 90);
  const worker = await world.start();
  await Promise.all([adopt(), signUpMany(world, 30, 91)]);
  await adopt();
  await world.settled();
  await worker.stop();
  expect(standIn.contactCount).toBe(120);
  expect(changes.slice(since).filter(({ kind }) => kind === 'opted_in' || kind === 'deleted')).toEqual([]);
  for (let n = 1; n <= 120; n += 1) {
    const contact = standIn.contact(`p${n}@example.com`);
    expect(contact?.attributes).toMatchObject({ FIRSTNAME: `Person ${n}` });
    if (n % 3 === 0 || n > 60) expect([n, contact?.status]).toEqual([n, 'unsubscribed']);
  }
});

test('stopped while it reads, and busy while another one reads: run again, it does all of it', async () => {
  const { world, sandbox, run, adopt, put, facts } = await old(['sendry']);
  for (let n = 1; n <= 250; n += 1) await put('sendry', `p${n}@example.com`, { FIRSTNAME: `Person ${n}`, N: '0' });
  sandbox.of('sendry').standIn.optOut('p250@example.com', 'unsubscribe');
  await signUpMany(world, 250);
  const stop = new AbortController();
  const end = sandbox.onCall(({ path }) => path.includes('cursor=') && stop.abort());
  const stopped = await run(['adopt'], { stop: stop.signal });
  end();
  expect(stopped).toMatchObject({ code: 1, stdout: '' });
  expect(stopped.stderr).toContain('error RC_STOPPED');
  expect(await facts()).toEqual([]);
  await world.db.app.query('select rollcall.open_remote(1::smallint)');
  expect((await run(['adopt'])).stderr).toContain('error RC_AUDIT_BUSY');
  await world.db.app.query('update rollcall.remote_readings set until = now()');
  expect(await adopt()).toMatchObject([{ there: 250, adopted: 250, equal: 250, recorded: 1 }]);
  expect((await world.db.app.query('select from rollcall.remote_contacts')).rows).toEqual([]);
});

test.each(['sendry', 'brevo'])(
  '%s: an answer that is none is asked for again; a refusal changes nothing',
  async (id) => {
    const { world, sandbox, run, adopt, put } = await old([id]);
    await put(id, 'ann@example.com', { FIRSTNAME: 'Ann' });
    await world.signUp('ann@example.com', { full_name: 'Ann' });
    const match = { method: 'GET', path: '/contacts' };
    sandbox.addFaults([{ match, status: 403 }]);
    const refused = await run(['adopt']);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('error RC_EXPORT_REFUSED');
    sandbox.clearFaults();
    for (const body of ['malformed', 'html', 'empty'] as const) sandbox.addFaults([{ match, body, count: 1 }]);
    expect(await adopt()).toMatchObject([{ there: 1, adopted: 1, equal: 1 }]);
  },
);

test('after an erasure, with a key that only the config knows', async () => {
  const { world, adopt, put } = await old(['mailtrap'], { more: ERASURE });
  const id = await world.signUp('ann@example.com', { full_name: 'Ann' });
  const worker = await startFast(world);
  await world.settled();
  await erase(world, id);
  await erased(world);
  await worker.stop();
  await put('mailtrap', 'bob@example.com', { FIRSTNAME: 'Bob' });
  await world.signUp('bob@example.com', { full_name: 'Bob' });
  expect(await adopt()).toMatchObject([{ there: 1, ours: 1, adopted: 1, equal: 1 }]);
  const { rows } = await world.db.app.query('select address from rollcall.desired where delivered_version is not null');
  expect(rows).toEqual([{ address: 'bob@example.com' }]);
});

test('names that are none, and a destination that cannot be read', async () => {
  const { world, run, adopt, put } = await old(['mailtrap'], {
    destinations: `hook: { type: webhook, url: 'https://hooks.example.com/x', secret: 'whsec_${Buffer.alloc(32).toString('base64')}' }`,
  });
  await put('mailtrap', 'ann@example.com', { FIRSTNAME: 'Ann' });
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  expect((await run(['adopt', '--destination', 'nowhere'])).stderr).toContain('error RC_DESTINATION_UNKNOWN');
  const hook = await run(['adopt', '--destination', 'hook']);
  expect(hook).toMatchObject({ code: 1, stdout: '' });
  expect(hook.stderr).toContain('error RC_EXPORT_NONE: What hook has can');
  const all = await run(['adopt', '--json']);
  expect(all.stderr).toContain("hook can't be read and is left out.");
  expect(JSON.parse(all.stdout)).toEqual({
    destinations: [
      {
        destination: 'mailtrap',
        there: 1,
        ours: 1,
        adopted: 1,
        equal: 1,
        missing: 0,
        doubles: 0,
        unknown: 0,
        recorded: 0,
        unread: [],
        suppressions: { kept: 0 },
        samples: [],
      },
    ],
  });
  expect(await adopt('--destination', 'mailtrap')).toMatchObject([{ adopted: 0 }]);
  expect((await run(['adopt', '--help'])).stdout).toContain('rollcall apply && rollcall adopt && rollcall start');
});

test.each(['mailtrap', 'sendry', 'brevo'])('%s: a pull of what was adopted adds nothing', async (id) => {
  const { world, sandbox, adopt, put, facts } = await old([id]);
  for (const name of ['ann', 'bob', 'cleo']) await put(id, `${name}@example.com`);
  const reasons = { ann: 'unsubscribe', bob: 'complaint', cleo: 'bounce' } as const;
  for (const [name, reason] of Object.entries(reasons)) sandbox.of(id).standIn.optOut(`${name}@example.com`, reason);
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await adopt();
  const before = await facts();
  expect(before).toHaveLength(3);
  const worker = await world.start(world.config, { times: { pullLookMs: 20 } });
  await eventually(() => world.logs.some((line) => line.includes('read who must not be mailed')));
  await world.settled();
  await worker.stop();
  expect(world.logs.join('\n')).toContain('read who must not be mailed');
  expect(await facts()).toEqual(before);
});
