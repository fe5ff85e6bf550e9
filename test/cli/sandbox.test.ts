import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { registry } from '../../src/destinations/registry.ts';
import { StateFile } from '../../src/cli/sandbox-file.ts';
import { onCleanup } from '../support/database.ts';
import { eventually } from '../support/people.ts';
import { rollcall, type Ran } from './run-cli.ts';

interface Running {
  /** Everything it said before it was ready. */
  readonly said: string;
  readonly stop: () => Promise<Ran>;
}

/** Runs the command in this process until it is stopped. */
async function sandbox(...argv: readonly string[]): Promise<Running> {
  const stop = new AbortController();
  const said: string[] = [];
  let ready: (() => void) | undefined;
  const started = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const onStdout = (text: string): void => {
    said.push(text);
    ready?.();
  };
  const done = rollcall(['sandbox', '--port', '0', ...argv], { stop: stop.signal, onStdout });
  await Promise.race([started, done]);
  const running = {
    said: said.join(''),
    stop: async () => {
      stop.abort();
      return await done;
    },
  };
  onCleanup(async () => void (await running.stop()));
  return running;
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'rollcall-sandbox-'));
  onCleanup(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('says where each destination is, what key it takes, its limits, and what to write', async () => {
  const { said, stop } = await sandbox('--only', 'mailtrap', '--limits-scale', '10', '--fault', 'status=503,rate=0.1');
  const origin = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0] ?? '';
  expect(said.replaceAll(origin, 'ORIGIN').replace(/key=\w+/, 'key=KEY')).toBe(`Rollcall sandbox
  page    ORIGIN/#key=KEY
  fault   status=503,rate=0.1

mailtrap
  url     ORIGIN/mailtrap
  token   sandbox-token
  limits  contacts 2,000 / 60 s, api 1,500 / 10 s, suppressions 100 / 60 s (10 times the real ones)

With \`environment: development\` in rollcall.yaml nothing needs to be written:
destinations are sent here. In any other environment:

  destinations:
    mailtrap:
      api_token: sandbox-token
      base_url: ORIGIN/mailtrap
      limits_scale: 10

Ctrl-C stops it; nothing is kept.
`);
  expect((await stop()).code).toBe(0);
});

test('serves every destination there is, and what it prints to paste is a config', async () => {
  const { said } = await sandbox('--json');
  const { url, page, destinations } = JSON.parse(said) as {
    url: string;
    page: string;
    destinations: { id: string; url: string; token: string; options: object }[];
  };
  expect(page.startsWith(`${url}/#key=`)).toBe(true);
  expect(destinations.map(({ id }) => id)).toEqual(registry.map(({ id }) => id));
  const yaml = JSON.stringify({
    consent: 'nobody',
    connectors: { supabase: { sync: { users: true } } },
    destinations: Object.fromEntries(destinations.map(({ id, options }) => [id, options])),
  });
  const config = parseConfig(yaml, { file: 'rollcall.yaml', env: {}, registry });
  expect(config.destinations.map(({ account }) => account?.split(' ')[0])).toEqual(
    destinations.map((one) => expect.stringContaining(one.url)),
  );
});

test('a token that was given is not said', async () => {
  const { said } = await sandbox('--only', 'mailtrap', '--token', 'my-own-token');
  expect(said).not.toContain('my-own-token');
  expect(said).toContain('api_token: ${SANDBOX_TOKEN}');
});

test('keeps its state in a file, from one run to the next', async () => {
  const file = join(await folder(), 'state.json');
  const contact = { contact: { email: 'ann@example.com', unsubscribed: true } };
  const api = async (said: string, method: string, body?: object): Promise<Response> => {
    const { destinations } = JSON.parse(said) as { destinations: { url: string; token: string }[] };
    const { url, token } = destinations[0]!;
    return await fetch(`${url}/api/contacts/ann%40example.com`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  };
  const first = await sandbox('--only', 'mailtrap', '--state', file, '--json');
  expect((await api(first.said, 'PATCH', contact)).status).toBe(200);
  await first.stop();
  const second = await sandbox('--only', 'mailtrap', '--state', file, '--json');
  expect(await (await api(second.said, 'GET')).json()).toMatchObject({
    data: { email: 'ann@example.com', status: 'unsubscribed' },
  });
  await second.stop();
  expect(await readdir(join(file, '..'))).toEqual(['state.json']);
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ rollcall_sandbox: 1 });
});

test.each([
  ['no JSON', '{"rollcall_sandbox":1,"desti'],
  ['another file', '{"name":"rollcall"}'],
  ['a state with a hole', '{"rollcall_sandbox":1,"destinations":{"mailtrap":{"contacts":[{"id":1}]}}}'],
])('a broken file is refused and left as it is: %s', async (_, text) => {
  const file = join(await folder(), 'state.json');
  await writeFile(file, text);
  const { code, stderr } = await rollcall(['sandbox', '--port', '0', '--state', file]);
  expect([code, stderr]).toEqual([1, expect.stringContaining('error RC_SANDBOX_STATE: ')]);
  expect(await readFile(file, 'utf8')).toBe(text);
});

test('a file that cannot be written is said at the end', async () => {
  const path = await folder();
  const running = await sandbox('--only', 'mailtrap', '--state', join(path, 'gone', 'state.json'), '--json');
  expect(await running.stop()).toMatchObject({ code: 1, stderr: expect.stringContaining('RC_SANDBOX_STATE') });
});

test('a destination that is not there', async () => {
  const { code, stderr } = await rollcall(['sandbox', '--port', '0', '--only', 'mailtrap,nowhere']);
  expect([code, stderr]).toEqual([1, expect.stringContaining('RC_SANDBOX_DESTINATION')]);
  const fault = await rollcall(['sandbox', '--port', '0', '--fault', 'status=500,destination=nowhere']);
  expect([fault.code, fault.stderr]).toEqual([1, expect.stringContaining('RC_FAULT_INVALID')]);
});

test('saves by itself whatever changes, and tries again after a failure', async () => {
  const path = await folder();
  const file = join(path, 'later', 'state.json');
  const sandbox = { revision: 0, save: () => ({ at: sandbox.revision }) };
  const problems: string[] = [];
  const state = new StateFile(file, sandbox, ({ code }) => problems.push(code), 10);
  sandbox.revision = 1;
  await eventually(() => problems.length > 0);
  await mkdir(join(path, 'later'));
  const saved = async (): Promise<string> => await readFile(file, 'utf8').catch(() => '');
  await eventually(async () => (await saved()) === '{"at":1}\n');
  sandbox.revision = 2;
  await eventually(async () => (await saved()) === '{"at":2}\n');
  await state.close();
  expect(new Set(problems)).toEqual(new Set(['RC_SANDBOX_STATE']));
});
