import { expect, test } from 'vitest';
import { signUpMany } from '../support/people.ts';
import { createWorld, type World } from '../support/world.ts';
import { type Ran, rollcall, type RunOptions, tempFile } from './run-cli.ts';

/** A world whose people were delivered, and a command line for it. */
async function world(people: number): Promise<{
  readonly made: World;
  readonly run: (argv: readonly string[], more?: RunOptions) => Promise<Ran>;
}> {
  const made = await createWorld({ sandbox: { limitsScale: 10_000 } });
  const config = await tempFile('rollcall.yaml', made.yaml);
  await signUpMany(made, people);
  await work(made);
  return { made, run: (argv, more = {}) => rollcall([...argv, '--config', config], more) };
}

async function work(made: World): Promise<void> {
  const worker = await made.start();
  await made.settled();
  await worker.stop();
}

async function edit({ sandbox }: World, method: string, address: string, contact?: object): Promise<void> {
  const answer = await fetch(`${sandbox.apiUrl}/api/contacts/${encodeURIComponent(address)}`, {
    method,
    headers: { authorization: `Bearer ${sandbox.token}`, 'content-type': 'application/json' },
    ...(contact === undefined ? {} : { body: JSON.stringify({ contact: { email: address, ...contact } }) }),
  });
  expect(answer.ok).toBe(true);
}

const SUPPRESSION = { domain_id: 1, sending_stream: 'transactional', type: 'unsubscription' };

async function ask({ sandbox }: World, method: string, path: string, body: object): Promise<void> {
  const answer = await fetch(sandbox.apiUrl + path, {
    method,
    headers: { authorization: `Bearer ${sandbox.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.ok).toBe(true);
}

/** As after a restore to an earlier point: another timeline, and the destination is ahead. */
async function restored({ db }: World): Promise<void> {
  await db.app.query(`update rollcall.install set identity = identity || '{"timeline": "0000FFFF"}'`);
}

/** Calls that write contacts. */
function writes({ sandbox }: World): readonly string[] {
  return sandbox.state
    .calls()
    .filter(({ method, path }) => method !== 'GET' && !path.endsWith('/exports'))
    .map(({ method, path }) => `${method} ${decodeURIComponent(path)}`);
}

test('a restored database reads first: what is equal is not sent, opt-outs come back, and nobody is deleted', async () => {
  const { made, run } = await world(8);
  await restored(made);
  await edit(made, 'PATCH', 'p1@example.com', { fields: { FIRSTNAME: 'newer' } });
  await edit(made, 'DELETE', 'p2@example.com');
  await edit(made, 'PATCH', 'late@example.com', {});
  made.sandbox.state.suppress('p3@example.com');
  await expect(made.start()).rejects.toMatchObject({
    code: 'RC_NOT_BOUND',
    message: expect.stringContaining('(timeline differs)'),
    hint: expect.stringContaining('`rollcall recover`'),
  });
  expect((await run(['status'])).stdout).toContain('RC_NOT_BOUND');
  expect((await run(['rebind', '--yes'])).stderr).toContain('error RC_RESTORED');
  expect((await run(['audit'])).stderr).toContain('error RC_NOT_BOUND');
  expect((await run(['recover'])).stderr).toContain('error RC_CONFIRM');

  const before = writes(made).length;
  const { code, stdout } = await run(['recover', '--yes', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    recovered: true,
    destinations: [
      {
        destination: 'mailtrap',
        read: true,
        there: 8,
        equal: 6,
        different: 1,
        missing: 1,
        optedOut: 1,
        unknown: 1,
        samples: [{ address: 'l***@example.com', contact: null }],
        suppressions: { kept: 1 },
      },
    ],
  });
  expect(writes(made)).toHaveLength(before);
  expect((await made.db.app.query('select 1 from rollcall.remote_contacts')).rows).toEqual([]);

  await work(made);
  const sent = writes(made).slice(before);
  expect(sent, 'the one that differs and the one that is missing').toHaveLength(2);
  expect(sent.some((each) => each.startsWith('DELETE'))).toBe(false);
  expect(made.sandbox.state.contact('p1@example.com')?.fields['FIRSTNAME']).toBe('Person 1');
  expect(made.sandbox.state.contactCount).toBe(9);
  expect((await run(['status'])).code).toBe(0);
  // The opt-out is known from now on.
  await made.db.app.query(`update auth.users set email = 'p3b@example.com' where email = 'p3@example.com'`);
  await work(made);
  expect(made.sandbox.state.contact('p3b@example.com')?.status).toBe('unsubscribed');
  expect((await run(['recover'])).stdout).toBe('This database is the one Rollcall is bound to: nothing to recover.\n');
});

test('an opt-out that only the suppressions tell of comes back too; a token without that right is a warning', async () => {
  const { made, run } = await world(4);
  await restored(made);
  await ask(made, 'POST', '/api/suppressions', { ...SUPPRESSION, email: 'p1@example.com' });
  await ask(made, 'POST', '/api/suppressions', { ...SUPPRESSION, email: 'p2@example.com' });
  await edit(made, 'DELETE', 'p2@example.com');
  const { stdout } = await run(['recover', '--yes', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({
    destinations: [{ there: 3, equal: 3, missing: 1, optedOut: 2, suppressions: { kept: 2 } }],
  });
  await work(made);
  expect(made.sandbox.state.contact('p2@example.com')?.status).toBe('unsubscribed');
  await made.db.app.query(`update auth.users set email = 'p1b@example.com' where email = 'p1@example.com'`);
  await work(made);
  expect(made.sandbox.state.contact('p1b@example.com')?.status).toBe('unsubscribed');

  await restored(made);
  made.sandbox.addFaults([{ status: 403, match: { path: '/suppressions' } }]);
  const ran = await run(['recover', '--yes']);
  expect(ran.code).toBe(0);
  expect(ran.stdout.replaceAll(/\s+/g, ' ')).toContain('warning: its suppressions were not read');
  expect(ran.stdout).toContain('Recovered.');
});

test('a destination that cannot be read stops the recovery before anything is changed, unless it is left out', async () => {
  const { made, run } = await world(3);
  await restored(made);
  made.sandbox.addFaults([{ status: 401, match: { path: '/exports' } }]);
  const due = async (): Promise<number> =>
    (await made.db.app.query('select 1 from rollcall.due where lane = 1')).rows.length;
  const stopped = await run(['recover', '--yes']);
  expect(stopped).toMatchObject({ code: 1, stdout: '' });
  expect(stopped.stderr).toMatch(/error RC_EXPORT_REFUSED: [\s\S]*--without-reading <name>/);
  expect(await due()).toBe(0);
  expect((await run(['recover', '--yes', '--without-reading', 'nowhere'])).stderr).toContain('RC_DESTINATION_UNKNOWN');
  const ran = await run(['recover', '--yes', '--without-reading', 'mailtrap']);
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  expect(ran.stdout).toBe(
    'mailtrap: not read. Everybody is sent again.\n\nRecovered. Start the workers: `rollcall start`\n',
  );
  expect(await due()).toBe(3);
  await work(made);
});

test('a recovery that was killed halfway is run again, and nobody sends in between', async () => {
  const { made, run } = await world(5);
  await made.db.app.query('select rollcall.note_set_back()');
  await made.db.app.query('select rollcall.begin_recover()');
  await expect(made.start()).rejects.toMatchObject({
    code: 'RC_NOT_BOUND',
    message: expect.stringContaining('set back'),
  });
  const ran = await run(['recover'], { answers: [true] });
  expect(ran.code).toBe(0);
  expect(ran.stdout).toContain(`mailtrap: 5 contacts there
  as they shall be, not sent again                5
  different, sent again                           0
  not there, sent again                           0
  unsubscribed there, opted out here from now on  0
  never heard of here                             0
`);
  const before = writes(made).length;
  await work(made);
  expect(writes(made)).toHaveLength(before);
});

test('rebind takes a clone into use, and a restored original only when told that nothing shall be read', async () => {
  const { made, run } = await world(3);
  await restored(made);
  const clone = await run(['rebind', '--environment', 'staging', '--yes']);
  expect(clone.code).toBe(0);
  expect(clone.stdout).toContain('everybody is sent again');
  await run(['rebind', '--yes']);
  await restored(made);
  expect((await run(['rebind', '--yes'])).stderr).toContain('error RC_RESTORED');
  expect((await run(['rebind', '--yes', '--without-reading'])).code).toBe(0);
  const before = writes(made).length;
  await work(made);
  expect(writes(made)).toHaveLength(before + 3);

  await made.db.app.query(`update rollcall.install set environment = 'elsewhere'`);
  const copy = await run(['recover', '--yes']);
  expect(copy.stderr).toContain('error RC_NOT_RESTORED: This is no restored original but a copy (environment differs)');
  await made.db.app.query('update rollcall.install set identity = null');
  expect((await run(['recover', '--yes'])).stderr).toContain('rollcall rebind');
});
