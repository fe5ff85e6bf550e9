import { beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { configText, type Ran, rollcall, type RunOptions, tempFile } from './run-cli.ts';

let db: TestDatabase;
let config: string;

const SECOND = '\n  second: { type: mailtrap, api_token: "0123456789abcdef" }';

beforeEach(async () => {
  db = await createDatabase();
});

/** Applies, and holds as many contacts as said: destination, lane (2 deletions, 3 changes), number. */
async function holding(
  text: string,
  ...held: readonly (readonly [destination: string, lane: number, n: number])[]
): Promise<void> {
  config = await tempFile('rollcall.yaml', text);
  expect((await run(['apply', '--yes', '--skip-destinations'])).code).toBe(0);
  for (const [name, lane, n] of held) {
    await db.app.query(
      `with b as (insert into rollcall.brakes (destination_id, kind, stopped_at)
         select id, case $2::int when 2 then 'deletes' else 'changes' end, '2026-01-02 03:04:05Z' from rollcall.destinations where name = $1)
       insert into rollcall.due (destination_id, contact_id, lane, due_at)
       select d.id, i, $2, now() from rollcall.destinations d, generate_series($2 * 1000 + 1, $2 * 1000 + $3) i where d.name = $1`,
      [name, lane, n],
    );
  }
}

function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return rollcall([...argv, '--config', config], {
    ...options,
    env: { DATABASE_URL: db.hostedUrl, MAILTRAP_TOKEN: '0123456789abcdef' },
  });
}

const ONE = configText('http://127.0.0.1:9');

test('without options: the brakes', async () => {
  await holding(ONE, ['mailtrap', 2, 1_200]);
  expect(await run(['release'])).toEqual({
    code: 0,
    stderr: '',
    stdout: `  destination  brake     held  last hour  stops within an hour
  mailtrap     deletes  1,200          0  over 2%, and 10 contacts or more
  mailtrap     changes      0          0  over 20%, and 100 contacts or more

mailtrap: 1,200 deletions held since 2026-01-02 03:04 UTC: \`rollcall release --deletes 1200\`
`,
  });
  const { brakes } = JSON.parse((await run(['release', '--json'])).stdout) as { brakes: unknown[] };
  expect(brakes).toEqual([
    {
      destination: 'mailtrap',
      kind: 'deletes',
      share: 0.02,
      least: 10,
      stopped_at: expect.stringContaining('2026-01-02T') as unknown,
      held: 1_200,
      passed: 0,
      allowance: 0,
      allowance_until: null,
    },
    expect.objectContaining({ kind: 'changes', held: 0, stopped_at: null }),
  ]);
});

test('a number lets out so many and asks nothing; what is left of it holds for an hour', async () => {
  await holding(ONE, ['mailtrap', 2, 12]);
  expect((await run(['status'])).stdout).toContain('`rollcall release --deletes 12` lets them go.');
  expect(await run(['release', '--deletes', '5'])).toEqual({
    code: 0,
    stderr: '',
    stdout: 'mailtrap: 5 deletions released, 7 still held.\n',
  });
  expect((await run(['status', '--json'])).code).toBe(1);
  const last = await run(['release', '--deletes', '20', '--json']);
  expect(JSON.parse(last.stdout)).toEqual({
    released: [
      {
        destination: 'mailtrap',
        kind: 'deletes',
        released: 7,
        held: 0,
        allowance: 13,
        allowance_until: expect.any(String) as unknown,
      },
    ],
  });
  expect((await run(['release'])).stdout).toContain('mailtrap: 13 deletions may pass uncounted within the hour.\n');
  expect((await run(['status'])).code).toBe(0);
});

test('without a number all are meant, once somebody says yes', async () => {
  await holding(ONE, ['mailtrap', 2, 12], ['mailtrap', 3, 1]);
  expect((await run(['release', '--deletes'])).stderr).toContain('error RC_CONFIRM');
  const refused = await run(['release', '--deletes'], { answers: [false] });
  expect(refused).toEqual({
    code: 1,
    stdout: '? Let out 12 deletions at mailtrap?\n',
    stderr: 'Nothing was changed.\n',
  });
  expect(await run(['release', '--deletes', '--changes', '--yes'])).toEqual({
    code: 0,
    stderr: '',
    stdout: 'mailtrap: 12 deletions released, 0 still held.\nmailtrap: 1 change released, 0 still held.\n',
  });
  expect(await run(['release', '--changes', '--yes'])).toEqual({
    code: 1,
    stdout: '',
    stderr:
      'error RC_NOTHING_HELD: No change is held.\n  With a number, so many pass within the next hour: `rollcall release --changes 100`.\n',
  });
});

test('the destination is the one that holds something, or is to be named', async () => {
  await holding(
    ONE.replace('\nconsent', `${SECOND}\nconsent`),
    ['mailtrap', 2, 12],
    ['second', 2, 3],
    ['second', 3, 4],
  );
  expect((await run(['release', '--changes', '4'])).stdout).toBe('second: 4 changes released, 0 still held.\n');
  const both = await run(['release', '--deletes', '1', '--changes', '1']);
  expect(both.stderr).toContain('error RC_RELEASE_DESTINATION: Several destinations are meant: mailtrap, second.\n');
  expect((await run(['release', '--deletes', '1', '--destination', 'second'])).stdout).toBe(
    'second: 1 deletion released, 2 still held.\n',
  );
  expect((await run(['status'])).stdout).toContain('--deletes 12 --destination mailtrap');
  expect((await run(['release', '--deletes', '1', '--destination', 'third'])).stderr).toBe(
    'error RC_DESTINATION_UNKNOWN: No destination "third" is installed.\n  There is mailtrap, second.\n',
  );
});

test('what can’t be', async () => {
  await holding(configText('http://127.0.0.1:9', { extra: 'brakes: { deletes: off }' }));
  expect((await run(['release', '--deletes', '4'])).stderr).toContain('error RC_BRAKE_OFF');
  expect((await run(['release'])).stdout).toContain('mailtrap     deletes     0          0  off\n');
  for (const n of ['0', '-3', 'all', '1.5']) {
    expect(await run(['release', '--changes', n])).toMatchObject({ code: 2 });
  }
  await run(['uninstall', '--yes']);
  expect((await run(['release'])).stderr).toContain('error RC_NOT_INSTALLED');
});
