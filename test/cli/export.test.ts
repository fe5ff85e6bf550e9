import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { installed } from '../integration/database/support.ts';
import { testConfig } from '../support/config.ts';
import { configText, rollcall, tempFile } from './run-cli.ts';

interface Held {
  readonly contacts: readonly Record<string, unknown>[];
  readonly consent: readonly unknown[];
}

test('all that is held about one person, by id or by address, and about nobody else', async () => {
  const one = await installed({ ...testConfig() });
  const large = '9007199254740993';
  const ann = await one.insert('ann+a@x.test', { full_name: "Ann O'Neil" });
  const bob = await one.insert('bob@x.test', { full_name: 'Bob' });
  await one.foldAll();
  await one.deliverAll();
  await one.db.sql.query(`select rollcall.receive_facts('mailtrap', $1)`, [
    JSON.stringify([{ id: '1', kind: 'opt_out', address: 'Ann+a@x.test', at: 5 }]),
  ]);
  await one.db.app.query(`update rollcall.desired set payload = payload || '{"BIG": ${large}}'::jsonb`);
  const config = await tempFile('rollcall.yaml', configText('http://127.0.0.1:9'));
  const run = (...argv: string[]) =>
    rollcall(['export', ...argv, '--config', config], {
      env: { DATABASE_URL: one.db.hostedUrl, MAILTRAP_TOKEN: '0123456789abcdef' },
    });
  const byId = await run(ann);
  expect(byId).toMatchObject({ code: 0, stderr: '' });
  const held = JSON.parse(byId.stdout) as Held;
  expect(held.contacts).toMatchObject([
    {
      user: ann,
      destinations: [
        {
          destination: 'mailtrap',
          address: 'ann+a@x.test',
          payload: { FIRSTNAME: "Ann O'Neil" },
          consent: 'opted_out',
        },
      ],
      attempts: [{ destination: 'mailtrap', outcome: 'delivered' }],
      queue: [],
      past_addresses: [],
    },
  ]);
  expect(held.consent).toMatchObject([
    { kind: 'opt_out', person: ann, address: 'ann+a@x.test', origin: 'destination:mailtrap' },
  ]);
  expect(JSON.parse((await run(' ANN+a@x.test')).stdout)).toEqual(held);
  expect(byId.stdout).toContain(`"BIG": ${large}`);
  expect(byId.stdout).not.toMatch(/bob/i);
  expect(byId.stdout).not.toContain(bob);
  for (const nobody of ['nobody@x.test', '00000000-0000-4000-8000-000000000000', "x' or true --", '%']) {
    const none = await run(nobody);
    expect([none.code, none.stdout]).toEqual([1, '']);
    expect(none.stderr).toContain('error RC_PERSON_UNKNOWN');
  }
  const file = join(config, '..', 'ann.json');
  expect(await run(ann, '-o', file)).toEqual({ code: 0, stderr: '', stdout: `Written to ${file}.\n` });
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(held);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await run(ann, '-o', file)).stderr).toContain('error RC_EXPORT_FILE');
});
