import { expect, test } from 'vitest';
import { eventually, signUpMany } from '../support/people.ts';
import { createWorld, type World, type WorldOptions } from '../support/world.ts';
import { type Ran, rollcall, type RunOptions, tempFile } from './run-cli.ts';

interface Report {
  readonly drift: boolean;
  readonly destinations: readonly {
    readonly there: number;
    readonly compared: number;
    readonly moving: number;
    readonly refused: number;
    readonly drift: Readonly<Record<string, number>>;
    readonly staleAttributes: Readonly<Record<string, number>>;
    readonly unread: readonly string[];
    readonly samples: Readonly<Record<string, readonly { readonly address: string }[]>>;
    readonly suppressions?: { readonly kept: number; readonly refused?: string };
    readonly repaired?: Readonly<Record<string, number>>;
  }[];
}

/** A world with a config file for the command line. */
async function world(options: WorldOptions = {}): Promise<{
  readonly world: World;
  readonly run: (argv: readonly string[], more?: RunOptions) => Promise<Ran>;
  readonly audit: (...argv: string[]) => Promise<Report['destinations'][number] & { readonly code: number }>;
  readonly edit: (address: string, contact: object) => Promise<void>;
}> {
  const made = await createWorld(options);
  const config = await tempFile('rollcall.yaml', made.yaml);
  const run = (argv: readonly string[], more: RunOptions = {}): Promise<Ran> =>
    rollcall([...argv, '--config', config], more);
  return {
    world: made,
    run,
    async audit(...argv) {
      const { code, stdout, stderr } = await run(['audit', '--json', ...argv]);
      expect(stderr).not.toContain('error');
      const report = JSON.parse(stdout) as Report;
      return { code, ...report.destinations[0]! };
    },
    async edit(address, contact) {
      await call(made, 'PATCH', address, { contact: { email: address, ...contact } });
    },
  };
}

/** What somebody does at the destination by hand. */
async function call({ sandbox }: World, method: string, address: string, body?: object): Promise<void> {
  await ask(sandbox, method, `/api/contacts/${encodeURIComponent(address)}`, body);
}

async function post({ sandbox }: World, path: string, body: object): Promise<void> {
  await ask(sandbox, 'POST', path, body);
}

async function ask(sandbox: World['sandbox'], method: string, path: string, body?: object): Promise<void> {
  const answer = await fetch(sandbox.apiUrl + path, {
    method,
    headers: { authorization: `Bearer ${sandbox.token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(answer.ok).toBe(true);
}

/** Signs people up, has a worker deliver them, and stops it. */
async function delivered(made: World, ...people: readonly string[]): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const name of people) ids.push(await made.signUp(`${name}@example.com`, { full_name: name, n: '1' }));
  await work(made);
  return ids;
}

async function work(made: World): Promise<void> {
  const worker = await made.start();
  await made.settled();
  await worker.stop();
}

const NONE = {
  missing: 0,
  stale: 0,
  duplicate: 0,
  old_address: 0,
  unsubscribed_there: 0,
  subscribed_there: 0,
  left_over: 0,
  unknown: 0,
};

test('each kind of drift is found, is repaired through the queue, and a second audit is clean', async () => {
  const {
    world: made,
    audit,
    edit,
    run,
  } = await world({
    consent: '{ column: user_metadata.yes }',
    mapping: `unconfirmed: true
email: email
user_metadata.full_name: FIRSTNAME
user_metadata.n: N`,
  });
  const yes = { full_name: 'x', n: '1', yes: true };
  for (const name of ['gone', 'stale', 'left', 'moved', 'fine']) await made.signUp(`${name}@example.com`, yes);
  await made.signUp('no@example.com', { ...yes, yes: false });
  const leaving = await made.signUp('leaver@example.com', yes);
  await work(made);
  const clean = await audit();
  expect(clean).toMatchObject({ code: 0, there: 7, compared: 7, moving: 0, refused: 0, unread: [] });
  expect(clean.drift).toEqual(NONE);

  await made.db.app.query(`update auth.users set email = 'moved2@example.com' where email = 'moved@example.com'`);
  await made.db.app.query('update auth.users set banned_until = now() + interval $$1 day$$ where id = $1', [leaving]);
  await work(made);
  // By hand, or by a program of theirs.
  await call(made, 'DELETE', 'gone@example.com');
  await edit('stale@example.com', { fields: { FIRSTNAME: 'other' } });
  made.sandbox.state.suppress('left@example.com');
  made.sandbox.state.unsuppress('no@example.com');
  await edit('moved@example.com', {});
  await edit('leaver@example.com', {});
  await edit('stranger@elsewhere.org', {});

  const found = await audit();
  expect(found).toMatchObject({ code: 1, there: 8, compared: 6, staleAttributes: { FIRSTNAME: 1 } });
  expect(found.drift).toEqual({
    missing: 1,
    stale: 1,
    duplicate: 0,
    old_address: 1,
    unsubscribed_there: 1,
    subscribed_there: 1,
    left_over: 1,
    unknown: 1,
  });
  expect(found.samples['unknown']).toEqual([{ address: 's***@elsewhere.org', contact: null }]);
  const text = await run(['audit']);
  expect(text.code).toBe(1);
  expect(text.stdout).toContain('g***@example.com');
  expect(text.stdout + text.stderr).not.toMatch(/gone@|stranger@|left@/);
  expect((await run(['audit', '--show-addresses'])).stdout).toContain('stranger@elsewhere.org');

  const repaired = await audit('--repair');
  expect(repaired).toMatchObject({ code: 0, repaired: { anew: 1, resend: 3, opted_out: 1, remove: 1 } });
  await work(made);
  const after = made.sandbox.state.contacts().map(({ email }) => email);
  expect(after.toSorted()).toEqual(
    ['fine', 'gone', 'left', 'moved2', 'no', 'stale'].map((n) => `${n}@example.com`).concat('stranger@elsewhere.org'),
  );
  expect(made.sandbox.state.contact('stale@example.com')?.fields['FIRSTNAME']).toBe('x');
  expect(made.sandbox.state.contact('no@example.com')?.status).toBe('unsubscribed');
  expect(made.sandbox.state.contact('left@example.com')?.status).toBe('unsubscribed');
  expect((await audit()).drift).toEqual({ ...NONE, unknown: 1 });

  // The opt-out given there outlives an edit here, and moves with the address.
  await made.db.app.query(
    `update auth.users set raw_user_meta_data = raw_user_meta_data || '{"full_name": "y"}', email = 'left2@example.com'
      where email = 'left@example.com'`,
  );
  await work(made);
  expect(made.sandbox.state.contact('left2@example.com')).toMatchObject({
    status: 'unsubscribed',
    fields: { FIRSTNAME: 'y' },
  });

  expect(await audit('--repair', '--delete-extra', '--yes')).toMatchObject({ repaired: { remove: 1 } });
  await work(made);
  expect(made.sandbox.state.contact('stranger@elsewhere.org')).toBeUndefined();
  const last = await audit();
  expect(last).toMatchObject({ code: 0 });
  expect(last.drift).toEqual(NONE);
  expect((await made.db.app.query('select 1 from rollcall.remote_contacts')).rows).toEqual([]);
  // No request ever said subscribed.
  const bodies = made.sandbox.state
    .calls()
    .filter(({ method }) => method === 'PATCH')
    .map(({ body }) => body);
  expect(bodies.join()).not.toMatch(/"unsubscribed":\s*false/);
});

test('the report for a person, in a log and on a terminal', async () => {
  const { world: made, run, edit } = await world();
  await delivered(made, 'ann', 'ben');
  expect(await run(['audit'])).toEqual({
    code: 0,
    stdout: 'mailtrap: 2 contacts there, 2 of ours compared\n  No drift.\n',
    stderr: expect.stringMatching(/^mailtrap: asking for an export of its contacts\n[^]*mailtrap: 2 contacts read\n$/),
  });
  await edit('ann@example.com', { fields: { FIRSTNAME: 'other', N: '2' } });
  await call(made, 'DELETE', 'ben@example.com');
  for (let n = 0; n < 7; n += 1) await edit(`n${n}@elsewhere.org`, {});
  const found = await run(['audit'], { tty: true, columns: 80 });
  expect(found.code).toBe(1);
  expect(found.stdout).toBe(`mailtrap: 8 contacts there, 2 of ours compared

  in step here, but not there     1
  there with other values         1
  there, but never heard of here  7

  in step here, but not there:
    b***@example.com
  there with other values:
    a***@example.com  N, FIRSTNAME
  there, but never heard of here:
    n***@elsewhere.org
    n***@elsewhere.org
    n***@elsewhere.org
    n***@elsewhere.org
    n***@elsewhere.org
    and 2 more

To put this right: \`rollcall audit --repair\`
`);
  // One line that changes, and is gone at the end.
  expect(found.stderr).not.toContain('\n');
  expect(found.stderr.endsWith('\r\u001b[2K')).toBe(true);
  const repaired = await run(['audit', '--repair'], { columns: 100 });
  expect(repaired.code).toBe(0);
  expect(repaired.stdout).toContain(`
  Repaired: 2 contacts to be sent again, 0 to be removed, 0 opt-outs recorded here.
  Contacts never heard of here stay, unless --delete-extra is given.
`);
  const refused = await run(['audit', '--repair', '--delete-extra']);
  expect(refused.stderr).toContain('error RC_CONFIRM');
});

test('whoever is on the move is left out, and so is whoever the destination refuses', async () => {
  const { world: made, audit } = await world({ sandbox: { faults: [{ reject: 'bad@example.com' }] } });
  const [ann] = await delivered(made, 'ann', 'ben', 'bad');
  await made.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "Anna"}' where id = $1`, [ann]);
  await made.db.sql.query('select rollcall.fold((select config_hash from rollcall.install), 100)');
  const found = await audit('--repair');
  expect(found).toMatchObject({ moving: 1, refused: 1, compared: 1, repaired: { anew: 0, resend: 0 } });
  expect(found.drift).toEqual(NONE);
});

test('a contact that is recreated there under another id is sent by its address', async () => {
  const { world: made, audit, edit } = await world();
  await delivered(made, 'ann');
  const before = made.sandbox.state.contact('ann@example.com')?.id;
  await call(made, 'DELETE', 'ann@example.com');
  await edit('ann@example.com', { fields: { FIRSTNAME: 'ann', N: '1' } });
  const found = await audit('--repair');
  expect(found).toMatchObject({ drift: { ...NONE, stale: 1 }, staleAttributes: { id: 1 } });
  await work(made);
  expect((await audit()).drift).toEqual(NONE);
  expect(made.sandbox.state.contact('ann@example.com')?.id).not.toBe(before);
});

test('addresses that were changed and exchanged there come back', async () => {
  const { world: made, audit } = await world();
  await delivered(made, 'ann', 'ben', 'cleo');
  const id = (name: string): string => made.sandbox.state.contact(`${name}@example.com`)?.id ?? '';
  const move = (from: string, to: string): Promise<void> =>
    call(made, 'PATCH', id(from), { contact: { email: `${to}@example.com` } });
  await move('cleo', 'cleopatra');
  await move('ann', 'x');
  await move('ben', 'ann');
  await move('x', 'ben');
  const found = await audit('--repair');
  expect(found.drift).toEqual({ ...NONE, stale: 3 });
  expect(found.staleAttributes).toEqual({ address: 1, id: 2, FIRSTNAME: 2 });
  await work(made);
  expect((await audit()).drift).toEqual(NONE);
  expect(
    made.sandbox.state
      .contacts()
      .map(({ email, fields }) => `${email} ${JSON.stringify(fields['FIRSTNAME'])}`)
      .toSorted(),
  ).toEqual(['ann', 'ben', 'cleo'].map((name) => `${name}@example.com "${name}"`));
});

test('nobody who is there by a later sign-up is removed, though they were a stranger when the audit began', async () => {
  const { world: made, audit, edit } = await world();
  await delivered(made, 'ann');
  await edit('ben@example.com', {});
  await audit('--repair', '--delete-extra', '--yes');
  await made.signUp('ben@example.com', { full_name: 'Ben' });
  await work(made);
  expect(
    made.sandbox.state
      .contacts()
      .map(({ email }) => email)
      .toSorted(),
  ).toEqual(['ann@example.com', 'ben@example.com']);
  expect((await audit()).drift).toEqual(NONE);
});

test('another export of the account is waited for; while one audit reads, another one is refused', async () => {
  let now = Date.now();
  const { world: made, run } = await world({ sandbox: { now: () => now, jobStepMs: 50 } });
  await delivered(made, 'ann');
  await post(made, '/api/contacts/exports', {});
  const first = run(['audit']);
  await made.sandbox.until(
    (state) => state.calls().some(({ status, path }) => status === 422 && path.endsWith('/exports')),
    10_000,
  );
  const second = await run(['audit']);
  expect(second).toMatchObject({ code: 1, stdout: '' });
  expect(second.stderr).toContain('error RC_AUDIT_BUSY');
  now += 1_000;
  expect(await first).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('waiting, as another export is being made'),
  });
});

test('a destination that does not let itself be read is an error that changes nothing', async () => {
  const { world: made, run } = await world();
  await delivered(made, 'ann');
  made.sandbox.addFaults([{ status: 403, match: { path: '/exports' } }]);
  const ran = await run(['audit', '--repair']);
  expect(ran).toMatchObject({ code: 1, stdout: '' });
  expect(ran.stderr).toContain('error RC_EXPORT_REFUSED: What mailtrap has could not be read');
  expect((await run(['audit', '--destination', 'nowhere'])).stderr).toContain('error RC_DESTINATION_UNKNOWN');
  expect((await made.db.app.query('select 1 from rollcall.due')).rows).toEqual([]);
});

test('what was read is gone after a crash of the database: nothing counts as missing', async () => {
  const { world: made, audit } = await world();
  await delivered(made, 'ann');
  const { rows } = await made.db.app.query<{ run: string }>('select rollcall.open_remote(1::smallint) as run');
  const run = rows[0]!.run;
  await made.db.app.query(
    `select rollcall.add_remote(1::smallint, $1, '[{"address": "a@x.io", "status": "unknown", "fields": {}}]')`,
    [run],
  );
  await expect(made.db.app.query('select rollcall.complete_remote(1::smallint, $1, 2)', [run])).rejects.toMatchObject({
    code: 'RC052',
  });
  await made.db.app.query('select rollcall.complete_remote(1::smallint, $1, 1)', [run]);
  // As after a crash: the table is not logged.
  await made.db.app.query('truncate rollcall.remote_contacts');
  await expect(
    made.db.app.query('select * from rollcall.compare_remote(1::smallint, $1, 0, 10)', [run]),
  ).rejects.toMatchObject({ code: 'RC052' });
  await made.db.app.query('update rollcall.remote_readings set until = now()');
  expect((await audit()).drift).toEqual(NONE);
});

const SUPPRESSION = { domain_id: 1, sending_stream: 'transactional', type: 'unsubscription' };

test('an opt-out that the export does not show is found in the suppressions, a bounce is none', async () => {
  const { world: made, audit, run } = await world();
  await delivered(made, 'left', 'gone', 'bounced', 'fine');
  await post(made, '/api/suppressions', { ...SUPPRESSION, email: 'Left@example.com' });
  await post(made, '/api/suppressions', { ...SUPPRESSION, email: 'gone@example.com' });
  await post(made, '/api/suppressions', { ...SUPPRESSION, email: 'bounced@example.com', type: 'hard bounce' });
  await post(made, '/api/suppressions', { ...SUPPRESSION, email: 'stranger@example.com' });
  await call(made, 'DELETE', 'gone@example.com');
  const found = await audit();
  expect(found).toMatchObject({ code: 1, there: 3, compared: 4, suppressions: { kept: 4 } });
  expect(found.drift).toEqual({ ...NONE, unsubscribed_there: 2, missing: 1 });
  expect(found.samples['unsubscribed_there']?.map(({ address }) => address).toSorted()).toEqual([
    'g***@example.com',
    'l***@example.com',
  ]);

  expect((await audit('--repair')).repaired).toEqual({ anew: 1, resend: 0, opted_out: 2, remove: 0 });
  await work(made);
  // It is made again, and says at once that it is not to be mailed.
  expect(made.sandbox.state.contact('gone@example.com')?.status).toBe('unsubscribed');
  await made.db.app.query(`update auth.users set email = 'new@example.com' where email = 'left@example.com'`);
  await work(made);
  expect(made.sandbox.state.contact('new@example.com')?.status).toBe('unsubscribed');
  expect((await run(['audit'])).stdout).toContain('No drift.');
});

test('a token that may not read suppressions is a warning, and pauses nothing', async () => {
  const { world: made, audit, run } = await world({ sandbox: { admin: false } });
  await delivered(made, 'ann');
  const found = await audit();
  expect(found).toMatchObject({ code: 0, drift: NONE, compared: 1 });
  expect(found.suppressions?.refused).toContain('Account access forbidden');
  const { code, stdout } = await run(['audit']);
  expect(code).toBe(0);
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain('warning: its suppressions were not read, so an opt-out');
  expect(stdout).toContain('No drift.');
  expect((await made.status()).destinations[0]).toMatchObject({ pause_code: null });
});

test('suppressions are read to the last page, within a limit of their own', async () => {
  const { world: made, audit } = await world();
  await delivered(made, 'ann', 'last');
  for (let n = 0; n < 1_000; n += 1) made.sandbox.state.suppress(`p${n}@example.com`);
  await post(made, '/api/suppressions', { ...SUPPRESSION, email: 'last@example.com' });
  const before = made.sandbox.counters().calls;
  expect(await audit()).toMatchObject({ suppressions: { kept: 1_001 }, drift: { ...NONE, unsubscribed_there: 1 } });
  const pages = made.sandbox.calls().filter(({ n, path }) => n > before && path.includes('/suppressions'));
  expect(pages).toHaveLength(3);
  const { rows } = await made.db.app.query(
    `select bucket from rollcall.limits where bucket = 'suppressions' and next_us > 0`,
  );
  expect(rows).toHaveLength(1);
});

test('what a killed audit has left is forgotten within a day', async () => {
  const { world: made } = await world();
  const { rows } = await made.db.app.query<{ run: string }>('select rollcall.open_remote(1::smallint) as run');
  await made.db.app.query(
    `select rollcall.add_remote(1::smallint, $1, '[{"address": "a@x.io", "status": "unknown", "fields": {}}]')`,
    [rows[0]!.run],
  );
  await made.db.app.query(`update rollcall.remote_readings set began_at = now() - interval '25 hours', until = now()`);
  await made.db.app.query(`select rollcall.tidy('7 days')`);
  expect((await made.db.app.query('select 1 from rollcall.remote_contacts')).rows).toEqual([]);
});

test('10,000 contacts are audited in memory that does not grow with them', async () => {
  const { world: made, audit } = await world({ sandbox: { keepCalls: 10 } });
  await signUpMany(made, 10);
  await work(made);
  const small = await peak(() => audit());
  const people = Array.from({ length: 10_000 }, (_, i) => ({
    email: `q${i}@example.com`,
    fields: { FIRSTNAME: 'x'.repeat(100) },
  }));
  await post(made, '/api/contacts/imports', { contacts: people });
  await eventually(() => made.sandbox.state.contactCount === 10_010);
  // As if they had been delivered: what is measured is the audit.
  await made.db.app.query(`
    insert into rollcall.contacts (key) select gen_random_uuid()::text from generate_series(1, 10000);
    insert into rollcall.desired (destination_id, contact_id, action, address, payload, hash, version, delivered_version, consent)
      select 1, c.id, 'upsert', 'q' || row_number() over () - 1 || '@example.com', jsonb_build_object('FIRSTNAME', repeat('x', 100)), '', 1, 1, 'basis'
        from rollcall.contacts c where not exists (select from rollcall.desired s where s.contact_id = c.id)`);
  const large = await peak(() => audit());
  expect(large.value).toMatchObject({ there: 10_010, compared: 10_010, drift: NONE });
  // The sandbox, which makes the file whole, is in this process too.
  expect(large.bytes).toBeLessThan(small.bytes + 50 * 2 ** 20);
});

/** How far the heap grew at most while something ran. */
async function peak<T>(run: () => Promise<T>): Promise<{ readonly value: T; readonly bytes: number }> {
  const before = process.memoryUsage().heapUsed;
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage().heapUsed);
  });
  try {
    return { value: await run(), bytes: most - before };
  } finally {
    clearInterval(timer);
  }
}
