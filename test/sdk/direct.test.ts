import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSandbox } from '../../src/sandbox/start.ts';
import type { Sandbox } from '../../src/sandbox/types.ts';
import { Rollcall, type RollcallConfig } from '../../src/sdk/index.ts';

// Without a database: what is told is sent at once, to the sandbox.

let sandbox: Sandbox;
const silent = (): void => undefined;

beforeAll(async () => {
  sandbox = await startSandbox({ only: ['mailtrap', 'brevo'], limitsScale: Infinity });
});

afterAll(async () => {
  await sandbox?.close();
});

function made(
  env: Record<string, string> = {},
  destinations: NonNullable<RollcallConfig['destinations']> = { brevo: {} },
): Rollcall {
  return new Rollcall({
    env: { ROLLCALL_SANDBOX_URL: sandbox.url, ...env },
    log: { error: silent, warn: silent, info: silent, debug: silent },
    config: {
      environment: 'development',
      connectors: { supabase: { project_url: 'https://of-the-config.example.com', api_key: 'sb_secret_of_the_test' } },
      destinations,
      consent: 'nobody',
      delivery: { retry: { first: '5s', longest: '5s' } },
    },
  });
}

test('one that does not take an event keeps it from no other, and it is said who took it', async () => {
  const rollcall = made({}, { mailtrap: {}, brevo: {} });
  sandbox.addFaults([{ match: { destination: 'mailtrap' }, status: 401 }]);
  await expect(rollcall.events.track({ email: 'ann@example.com', event: 'order_placed' })).rejects.toMatchObject({
    code: 'RC_NOT_DELIVERED',
    message: expect.stringMatching(/^mailtrap did not take it .* brevo took it\.$/s),
  });
  expect(sandbox.of('brevo').standIn.eventCount).toBe(1);
  sandbox.clearFaults();
  await rollcall.stop();
});

test('what waits to be tried again ends when it is stopped, and can be told again', async () => {
  const rollcall = made();
  sandbox.addFaults([{ match: { destination: 'brevo' }, status: 503 }]);
  const calls = sandbox.counters().calls;
  const failed = rollcall.events.track({ email: 'bob@example.com', event: 'x' });
  failed.catch(silent);
  await sandbox.until(() => sandbox.counters().calls > calls, 60_000);
  await rollcall.stop();
  await expect(failed).rejects.toMatchObject({ code: 'RC_STOPPED' });
  sandbox.clearFaults();
  await rollcall.events.track({ email: 'bob@example.com', event: 'x' });
  await rollcall.stop();
});

test('the client of the project is made with what was given, else with what the config says, and an empty variable is none', async () => {
  const given = { SUPABASE_URL: 'https://of-the-environment.example.com', SUPABASE_SECRET_KEY: '' };
  const rollcall = made({ SUPABASE_URL: '', SUPABASE_SERVICE_ROLE_KEY: '' });
  expect(() => rollcall.supabase).toThrow(expect.objectContaining({ code: 'RC_NOT_CONNECTED' }));
  await rollcall.connectors.connect('supabase');
  const urlOf = (client: unknown): string => String((client as { supabaseUrl: unknown }).supabaseUrl);
  expect(urlOf(rollcall.supabase)).toContain('of-the-config');
  const other = made({ ...given, SUPABASE_SERVICE_ROLE_KEY: 'sb_secret_of_the_test' });
  expect(urlOf(other.supabase)).toContain('of-the-environment');
});
