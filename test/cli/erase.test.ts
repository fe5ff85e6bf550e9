import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ERASE_KEY, eraseWorld, startFast } from '../support/erasing.ts';
import { createVault } from '../support/vault.ts';
import { type Ran, rollcall, type RunOptions, tempFile } from './run-cli.ts';

type Run = (argv: readonly string[], options?: RunOptions) => Promise<Ran>;

async function commandLine(yaml: string): Promise<Run> {
  const config = await tempFile('rollcall.yaml', yaml);
  return (argv, options) => rollcall(['erase', ...argv, '--config', config], options);
}

const NO_WORKER =
  'No worker runs: start one with `rollcall start`, and it goes on. `rollcall erase --list` shows how far it is.';

test('asked at the terminal, then waited for; the receipt and the list say what became of them', async () => {
  const world = await eraseWorld();
  const run = await commandLine(world.yaml);
  const worker = await startFast(world);
  const id = await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  const no = await run(['Ann@example.com'], { answers: [false] });
  expect(no.code).toBe(1);
  expect(no.stderr).toContain(
    `This erases the user ${id} and whoever is known\nby a***@example.com alone at mailtrap, and all that is held here. It cannot be\nundone.\nNothing was changed.`,
  );
  const yes = await run(['Ann@example.com'], { answers: [true] });
  expect([yes.code, yes.stdout]).toEqual([
    0,
    expect.stringMatching(
      /^\? Erase this person\?\nErasure [0-9a-f-]{36} \(operator\)\n {2}finished .* UTC\n {2}mailtrap {2}deleted, and read back: gone\n$/,
    ),
  ]);
  expect(world.sandbox.state.contactCount).toBe(0);
  const list = await run(['--list', '--json']);
  expect(JSON.parse(list.stdout)).toMatchObject([
    { by: 'operator', state: 'finished', destinations: { mailtrap: { read_back: 'gone' } } },
  ]);
  expect(list.stdout).not.toMatch(/ann@/i);
  expect((await run(['--list'])).stdout).toContain('deleted, and read back: gone');
  await worker.stop();
  // The row still stands: that is the app's.
  const again = await run([id, '--yes', '--no-wait', '--json']);
  expect(again.code).toBe(0);
});

test('without a worker it says so and how to go on; what is paused is named, and may be left out', async () => {
  const world = await eraseWorld();
  const run = await commandLine(world.yaml);
  const worker = await startFast(world);
  await world.signUp('ann@example.com');
  await world.settled();
  await worker.stop();
  await world.db.app.query(`update rollcall.destinations set alive_at = now() - interval '2 minutes'`);
  const ran = await run(['ann@example.com', '--yes']);
  expect([ran.code, ran.stdout]).toEqual([0, expect.stringContaining('mailtrap  is being deleted')]);
  expect(ran.stderr).toContain(NO_WORKER);
  await world.db.sql.query(`select rollcall.pause_destination(1::smallint, 'plan', 'x', null)`);
  const listed = await run(['--list']);
  expect(listed.stdout).toContain('waits: the destination is paused');
  const config = await tempFile('rollcall.yaml', world.yaml);
  expect((await rollcall(['status', '--config', config])).stdout).toMatch(
    /1 erasure at work, the oldest for \d+ s: `rollcall erase --list`/,
  );
  const left = await run(['ann@example.com', '--yes', '--json', '--without', 'mailtrap']);
  expect(JSON.parse(left.stdout)).toMatchObject({
    state: 'finished',
    destinations: { mailtrap: { read_back: 'left_out' } },
  });
});

test('no key: it says how to make one; with Vault one is made', async () => {
  const world = await eraseWorld({ more: '' });
  const run = await commandLine(world.yaml);
  await world.signUp('ann@example.com');
  const refused = await run(['ann@example.com', '--yes']);
  expect([refused.code, refused.stdout]).toEqual([1, '']);
  expect(refused.stderr).toContain('error RC_ERASURE_KEY_MISSING');
  expect(refused.stderr).toContain('openssl rand -base64 32');
  await createVault(world.db);
  const ran = await run(['ann@example.com', '--yes', '--no-wait', '--json']);
  expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining('was made in Vault (rollcall_erasure_key)')]);
  const { rows } = await world.db.app.query(
    `select length(decrypted_secret) as n from vault.decrypted_secrets where name = 'rollcall_erasure_key'`,
  );
  expect(rows).toEqual([{ n: 44 }]);
});

test('of whom nothing is held; nobody named; no terminal; no place for the kept file; another key', async () => {
  const world = await eraseWorld();
  const run = await commandLine(world.yaml);
  await world.signUp('ann@example.com');
  expect((await run(['bob@example.com', '--yes'])).stderr).toContain('error RC_PERSON_UNKNOWN');
  expect((await run(["' or true --@x", '--yes'])).stderr).toContain('error RC_PERSON_UNKNOWN');
  expect((await run([])).stderr).toContain('error RC_ERASE_WHOM');
  expect((await run(['ann@example.com'])).stderr).toContain('error RC_CONFIRM');
  expect((await run(['--export'])).stderr).toContain('error RC_KEPT_NOWHERE');
  expect((await run(['ann@example.com', '--yes', '--no-wait'])).code).toBe(0);
  const other = await commandLine(world.yaml.replace(ERASE_KEY, `${ERASE_KEY}, but another`));
  const wrong = await other(['ann@example.com', '--yes', '--no-wait']);
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('error RC_ERASURE_KEY_WRONG')]);
  for (const told of [wrong.stderr, wrong.stdout]) expect(told).not.toContain(ERASE_KEY);
});

test('--export writes what outlives a restore', async () => {
  const file = await tempFile('kept.jsonl', 'before');
  const world = await eraseWorld({ more: `erasure: { key: "${ERASE_KEY}", export: "${file}" }` });
  const run = await commandLine(world.yaml);
  expect(await run(['--export'])).toMatchObject({ code: 0, stdout: `Written to ${file}: 0 lines.\n` });
  expect(await readFile(file, 'utf8')).toMatch(/^\{"rollcall":"kept"/);
});
