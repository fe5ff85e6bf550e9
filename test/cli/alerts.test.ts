import { expect, test } from 'vitest';
import { ALERT_SECRET, createReceiver } from '../support/alert-receiver.ts';
import { configText, rollcall, tempFile } from './run-cli.ts';

const env = { DATABASE_URL: 'postgres://localhost/x', MAILTRAP_TOKEN: '0123456789abcdef', ALERTS: ALERT_SECRET };

async function run(url: string | undefined): Promise<Awaited<ReturnType<typeof rollcall>>> {
  const alerts = url === undefined ? '' : `\nalerts: { url: ${JSON.stringify(url)}, secret: "\${ALERTS}" }\n`;
  const file = await tempFile('rollcall.yaml', `${configText('http://127.0.0.1:9')}${alerts}`);
  return rollcall(['alerts', 'test', '--config', file], { env });
}

test('alerts test sends one signed message, without a database', async () => {
  const receiver = await createReceiver();
  const ran = await run(receiver.url);
  expect(ran).toEqual({ code: 0, stdout: 'The receiver has accepted the message.\n', stderr: '' });
  expect(receiver.got).toMatchObject([{ type: 'rollcall.alert.test', signed: true }]);
  expect(receiver.got[0]?.text).toMatch(/^Rollcall \(\w+\): this is a test; nothing is wrong\.$/);
});

test('alerts test says what came instead, and nothing of the path or the secret', async () => {
  const receiver = await createReceiver();
  receiver.answer(401);
  const { host } = new URL(receiver.url);
  expect(await run(receiver.url)).toEqual({
    code: 1,
    stdout: '',
    stderr: `error RC_ALERT_REFUSED: ${host} has not accepted the message (http_401).
  Check its address and that it knows the secret; it must answer 2xx.
`,
  });
  expect((await run('https://10.0.0.1/secret-of-the-path')).stderr).toBe(
    `error RC_ALERT_REFUSED: 10.0.0.1 has not accepted the message (blocked_address).
  Check its address. Only public addresses over https are sent to, and this machine when the URL says so.
`,
  );
});

test('alerts test without a receiver says what to add', async () => {
  const { code, stderr } = await run(undefined);
  expect(code).toBe(1);
  expect(stderr).toMatch(/error RC_ALERTS_NONE: The config names no receiver of alerts\.\n/);
});
