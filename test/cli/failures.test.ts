import { beforeEach, describe, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { configText, type Ran, rollcall, type RunOptions, tempFile } from './run-cli.ts';

let db: TestDatabase;
let config: string;
const USER = '3b0f2a52-8d5e-4c61-9a38-52d7b1f0c9aa';

beforeEach(async () => {
  db = await createDatabase();
});

async function installed(text = configText('http://127.0.0.1:9')): Promise<void> {
  config = await tempFile('rollcall.yaml', text);
  expect((await run(['apply', '--yes', '--skip-destinations'])).code).toBe(0);
}

function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return rollcall([...argv, '--config', config], {
    ...options,
    env: { DATABASE_URL: db.hostedUrl, MAILTRAP_TOKEN: '0123456789abcdef' },
  });
}

/** A contact by its number, and its dead letter. */
async function failed(
  n: number,
  letter: {
    readonly stage?: string;
    readonly code: string;
    readonly field?: string;
    readonly message: string;
    readonly key?: string;
  },
): Promise<void> {
  const { stage = 'deliver', code, field = null, message, key = `email:p${n}@example.com` } = letter;
  await db.app.query(
    `with c as (insert into rollcall.contacts (id, key) overriding system value values ($1, $2) returning id),
       s as (insert into rollcall.desired (destination_id, contact_id, action, address, payload, hash, version)
         select d.id, c.id, 'upsert', 'p' || c.id || '@example.com', jsonb_build_object('FIRSTNAME', 'Zacharias'), '', 1
           from c, rollcall.destinations d where d.name = 'mailtrap')
     insert into rollcall.dead_letters (destination_id, contact_id, stage, version, code, field, message, at)
     select d.id, c.id, $3, 1, $4, $5, $6, '2026-01-02 03:04:05Z'::timestamptz + $1 * interval '1 minute'
       from c, rollcall.destinations d where d.name = 'mailtrap'`,
    [n, key, stage, code, field, message],
  );
}

/** Some of every kind. */
async function allKinds(): Promise<void> {
  await installed();
  for (const n of [1, 2]) {
    const message = `email: p${n}@example.com is invalid`;
    await failed(n, { code: 'invalid_email', field: 'email', message, ...(n === 2 ? { key: USER } : {}) });
  }
  await failed(3, {
    code: 'invalid_field',
    field: 'FIRSTNAME',
    message: 'FIRSTNAME: "Zacharias" is too long for this field, which has room for eight',
  });
  await failed(4, { stage: 'map', code: '22P02', message: 'invalid input syntax for type integer: "anna karenina"' });
  await failed(5, { code: 'gave_up', message: 'http_503: Down for maintenance.' });
  await db.app.query(
    `insert into rollcall.events (id, destination_id, contact_id, source, name, properties, happened_at, ready, state, reason, message, ended_at)
     select ('00000000-0000-4000-8000-00000000000' || i)::uuid, d.id, 5, 'public.orders', 'order_placed', '{"note": "a golden ring"}', now(), true, 'dead',
            case i when 1 then 'invalid_event' else '22P02' end, 'note: a golden ring is no number', '2026-01-02 04:00Z'
       from rollcall.destinations d, generate_series(1, 2) i where d.name = 'mailtrap'`,
  );
}

describe('what failed', () => {
  test('nothing', async () => {
    await installed();
    expect(await run(['failures'])).toEqual({ code: 0, stderr: '', stdout: 'Nothing has failed.\n' });
    expect(JSON.parse((await run(['failures', '--json'])).stdout)).toEqual({ causes: [], dropped: { mailtrap: 0 } });
    expect(await run(['failures', 'retry'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error RC_FAILURE_UNKNOWN: Nothing has failed.\n  See `rollcall status`.\n',
    });
  });

  test('by cause, with the words, an example and what to do, and nobody’s data', async () => {
    await allKinds();
    const { code, stdout, stderr } = await run(['failures', 'list']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    for (const data of ['@example', 'Zacharias', 'anna', 'ring', USER]) expect(stdout).not.toContain(data);
    expect(stdout).toBe(`mailtrap: 5 contacts, 2 events

  invalid_email (email): 2 contacts refused, the newest 2026-01-02 03:06 UTC
    words     email: [email] is invalid
    example   contact 2
    to do     Correct the address where it comes from. It is then sent by
              itself.

  gave_up: 1 contact given up, the newest 2026-01-02 03:09 UTC
    words     http_503: Down for maintenance.
    example   contact 5
    to do     It failed for all of \`delivery.retry.window\`. Once the destination
              works: \`rollcall failures retry --cause gave_up\`.

  invalid_field (FIRSTNAME): 1 contact refused, the newest 2026-01-02 03:07 UTC
    words     FIRSTNAME: "[value]" is too long for this field, which has room
              for eight
    example   contact 3
    to do     Mailtrap does not take this value for FIRSTNAME. Compare the type
              of the field under Contacts, Fields with that of the attribute,
              and correct the value or map it with another type.

  22P02: 1 event not delivered, the newest 2026-01-02 04:00 UTC
    database  note: [value] is no number
    example   event order_placed, contact 5
    to do     A value did not fit the mapping of the event, so there is nothing
              to send. Correct the mapping for those to come, and drop these.

  invalid_event: 1 event not delivered, the newest 2026-01-02 04:00 UTC
    words     note: [value] is no number
    example   event order_placed, contact 5
    to do     Correct the name or the properties of the event in the mapping.
              Those to come are then sent as they shall be.

  22P02: 1 contact that can't be mapped, the newest 2026-01-02 03:08 UTC
    database  invalid input syntax for type integer: "[value]"
    example   contact 4
    to do     A value does not fit the mapping. Correct the row, or the mapping
              (a transform with a default, another type), and run \`rollcall
              apply\`.
`);
  });

  test('as a document, with personal data only when they are asked for', async () => {
    await allKinds();
    const plain = (await run(['failures', '--json'])).stdout;
    for (const data of ['@example', 'Zacharias', 'anna', 'ring', USER]) expect(plain).not.toContain(data);
    expect(JSON.parse(plain).causes[0]).toEqual({
      destination: 'mailtrap',
      stage: 'deliver',
      code: 'invalid_email',
      field: 'email',
      count: 2,
      oldest_at: '2026-01-02T03:05:05.000Z',
      newest_at: '2026-01-02T03:06:05.000Z',
      advice: 'Correct the address where it comes from. It is then sent by itself.',
      example: {
        contact: '2',
        event: null,
        event_name: null,
        at: '2026-01-02T03:06:05.000Z',
        words: 'email: [email] is invalid',
      },
    });
    const shown = JSON.parse((await run(['failures', '--json', '--reveal'])).stdout);
    expect(shown.causes[0].example).toMatchObject({ key: USER, address: 'p2@example.com' });
    expect(shown.causes[0].example.words).toBe('email: p2@example.com is invalid');
  });

  test('one cause with its contacts', async () => {
    await allKinds();
    const args = ['failures', 'show', 'invalid_email:email'];
    expect(await run(args)).toEqual({
      code: 0,
      stderr: '',
      stdout: `invalid_email (email): 2 contacts refused, the newest 2026-01-02 03:06 UTC
    words     email: [email] is invalid
    example   contact 2
    to do     Correct the address where it comes from. It is then sent by
              itself.

  contact 2, user ${USER}, p***@example.com,
  2026-01-02 03:06 UTC
    email: [email] is invalid
  contact 1, p***@example.com, 2026-01-02 03:05 UTC
`,
    });
    expect((await run([...args, '--limit', '1', '--reveal'])).stdout.split('\n\n')[1])
      .toBe(`  contact 2, user ${USER}, p2@example.com,
  2026-01-02 03:06 UTC
    email: p2@example.com is invalid
  and 1 more: --limit 2
`);
    const { failures } = JSON.parse((await run(['failures', 'show', '22P02', '--json'])).stdout);
    expect(failures).toHaveLength(2);
    expect(failures[0]).toMatchObject({
      stage: 'event',
      event_name: 'order_placed',
      contact: '5',
      words: 'note: [value] is no number',
    });
  });
});

describe('what shall become of it', () => {
  test('retry, by cause, by contact, and all', async () => {
    await allKinds();
    expect(await run(['failures', 'retry', '--cause', 'gave_up'])).toEqual({
      code: 0,
      stderr: '',
      stdout: 'mailtrap: 1 contact to be sent as they are now.\n',
    });
    expect((await run(['failures', 'retry', '--contact', '1', '--json'])).stdout).toBe(`{
  "retried": [
    {
      "destination": "mailtrap",
      "contacts": 1,
      "read_again": 0,
      "events": 0,
      "unmapped": 0
    }
  ]
}
`);
    expect((await run(['failures', 'retry'])).stdout)
      .toBe(`mailtrap: 2 contacts to be sent as they are now, 1 contact to be read and mapped
again, 1 event to be sent again.
mailtrap: 1 event could not be mapped, so there is nothing to send.
`);
    expect((await run(['failures'])).stdout).toContain('mailtrap: 1 contact, 1 event\n');
  });

  test('drop, after a question', async () => {
    await allKinds();
    expect((await run(['failures', 'drop'])).stderr).toContain('error RC_CONFIRM');
    expect(await run(['failures', 'drop', '--cause', '22P02'], { answers: [false] })).toEqual({
      code: 1,
      stdout: '? Drop 2 failures?\n',
      stderr: 'Nothing was changed.\n',
    });
    expect((await run(['failures', 'drop', '--cause', '22P02', '--yes'])).stdout).toBe(
      'mailtrap: 1 contact dropped until they change, 1 event for ever.\n',
    );
    const { stdout } = await run(['failures', 'drop', '--yes', '--json']);
    expect(JSON.parse(stdout)).toEqual({ dropped: [{ destination: 'mailtrap', contacts: 4, events: 1 }] });
    expect((await run(['failures'])).stdout).toBe('mailtrap: 5 contacts dropped until they change\n');
    expect((await run(['failures', 'drop', '--contact', '5', '--yes'])).stderr).toBe(
      'error RC_FAILURE_UNKNOWN: Nothing has failed of contact 5.\n  See `rollcall failures`.\n',
    );
    expect((await run(['failures', 'retry', '--contact', '5'])).stdout).toBe(
      'mailtrap: 1 contact to be sent as they are now.\n',
    );
  });

  test('what can’t be', async () => {
    await allKinds();
    expect((await run(['failures', 'show', 'invalid_emial'])).stderr).toBe(
      'error RC_FAILURE_UNKNOWN: Nothing has failed for invalid_emial.\n  There is invalid_email:email, gave_up, invalid_field:FIRSTNAME, 22P02, invalid_event.\n',
    );
    expect((await run(['failures', '--destination', 'second'])).stderr).toBe(
      'error RC_DESTINATION_UNKNOWN: No destination "second" is installed.\n  There is mailtrap.\n',
    );
    for (const argv of [
      ['show'],
      ['show', 'a b'],
      ['show', '22P02', '--limit', '0'],
      ['retry', '--contact', 'ann@example.com'],
      ['drop', '--cause', ':x'],
      ['undo'],
    ])
      expect(await run(['failures', ...argv]), argv.join(' ')).toMatchObject({ code: 2 });
    await run(['uninstall', '--yes']);
    expect((await run(['failures'])).stderr).toContain('error RC_NOT_INSTALLED');
  });

  test('one cause at two destinations needs a name', async () => {
    const second = '\n  second: { type: mailtrap, api_token: "0123456789abcdef" }';
    await installed(configText('http://127.0.0.1:9').replace('\nconsent', `${second}\nconsent`));
    await failed(1, { code: 'invalid_email', field: 'email', message: 'No.' });
    await db.app.query(
      `insert into rollcall.dead_letters (destination_id, contact_id, stage, version, code, field, message)
       select d.id, 1, 'deliver', 1, 'invalid_email', 'email', 'No.' from rollcall.destinations d where d.name = 'second'`,
    );
    expect((await run(['failures', 'show', 'invalid_email'])).stderr).toContain(
      'error RC_FAILURE_DESTINATION: It failed at several destinations: mailtrap, second.\n',
    );
    expect((await run(['failures', 'retry', '--destination', 'second'])).stdout).toMatch(/^second: 1 contact .*\n$/);
    expect((await run(['failures'])).stdout).toMatch(/^mailtrap: 1 contact\n/);
  });
});

test('resume: the pause of one or of all ends, and status tells since when there was one', async () => {
  await installed();
  expect(await run(['resume'])).toEqual({ code: 0, stderr: '', stdout: 'No destination is paused.\n' });
  expect((await run(['resume', 'mailtrap'])).stdout).toBe('mailtrap is not paused.\n');
  const pause = (code: string): Promise<unknown> =>
    db.app.query(
      `update rollcall.destinations set pause_code = $1, pause_message = 'Incorrect API token', pauses = 3,
         paused_since = '2026-01-02 03:04Z', paused_until = '2126-01-02 03:14Z'`,
      [code],
    );
  await pause('unauthorized');
  expect((await run(['status'])).stdout).toContain(`RC_DESTINATION_PAUSED: mailtrap is paused since 2026-01-02 03:04 UTC
(unauthorized): Incorrect API token. A worker tries it next at 2126-01-02 03:14
UTC.
`);
  expect(await run(['resume', 'mailtrap'])).toEqual({
    code: 0,
    stderr: '',
    stdout:
      'mailtrap was paused (unauthorized). A running worker tries it now. A worker that\nhas an old key needs a restart.\n',
  });
  expect((await run(['status'])).stdout).toContain('A worker tries it next at once.');
  await db.app.query(`update rollcall.destinations set paused_until = 'infinity', pause_code = 'gone'`);
  expect((await run(['status'])).stdout).toContain('No worker tries it by itself.');
  expect((await run(['resume'])).stdout).toBe('mailtrap was paused (gone). A running worker tries it now.\n');
  await pause('plan_limit');
  expect(JSON.parse((await run(['resume', '--json'])).stdout)).toEqual({
    resumed: [{ destination: 'mailtrap', code: 'plan_limit' }],
  });
  expect((await run(['resume', 'second'])).stderr).toContain('error RC_DESTINATION_UNKNOWN');
});

test('the help of the commands', async () => {
  config = 'rollcall.yaml';
  const { stdout } = await rollcall(['failures', 'retry', '--help']);
  expect(stdout).toBe(`Usage: rollcall failures retry [options]

Makes failures due again: contacts are sent as they are now, rows that could not
be mapped are read again, and events are sent after those that wait. Without
options: all of them.

Options:
  --cause <code>        failures of this code, or code:field, alone
  --destination <name>  at this destination alone
  --contact <id>        of this contact alone, as \`rollcall failures show\` names
                        it
  --json                print one JSON document
  -h, --help            show help

Global Options:
  -c, --config <file>   the config file (default: "rollcall.yaml")
  --env-file <file>     read environment variables from a file; those already
                        set win
  --version             print the version

Examples:
  $ rollcall failures retry
  $ rollcall failures retry --cause gave_up --destination mailtrap
  $ rollcall failures retry --contact 17

`);
  expect((await rollcall(['failures', '--help'])).stdout).toContain(`Commands:
  list [options]          show the causes, with what to do about each
  show [options] <cause>  show who failed for one cause
  retry [options]         try failures again
  drop [options]          hear no more of failures
`);
});
