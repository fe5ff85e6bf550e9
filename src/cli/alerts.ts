import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { RollcallError } from '../core/errors.ts';
import { refusalOf, sendAlert } from '../engine/alert-loop.ts';
import { createUndiciSend } from '../transport/undici.ts';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { loadConfig } from './load-config.ts';

/** `rollcall alerts`: what can be done with the receiver of alerts. */
export function define(command: Command, cli: Cli): void {
  command.description('Sends a test to the receiver of alerts.').addHelpText('after', examples('rollcall alerts test'));
  const test = command
    .command('test')
    .summary('send one signed test message')
    .description('Sends one signed message of type rollcall.alert.test to the receiver of alerts. Needs no database.')
    .addHelpText('after', examples('rollcall alerts test'));
  cli.action(test, runTest);
}

async function runTest(_options: unknown, cli: Cli): Promise<number> {
  const config = await loadConfig(cli);
  const { alerts, environment } = config;
  if (alerts === undefined) {
    throw new RollcallError('RC_ALERTS_NONE', 'The config names no receiver of alerts.', {
      hint: 'Add `alerts:` with a url and a secret: see docs/operations.md, "Alerts".',
      place: { file: config.file, path: 'alerts' },
    });
  }
  const transport = createUndiciSend();
  try {
    const receiver = { url: alerts.url, auth: { sign: 'standard-webhooks', secrets: [alerts.secret] } } as const;
    const beganAt = new Date().toISOString();
    const about = { kind: 'test', subject: '', detail: {}, environment, beganAt, endedAt: null } as const;
    const result = await sendAlert(transport.send, receiver, { ...about, id: `alert_${randomUUID()}_test` });
    const refusal = refusalOf(result);
    if (refusal !== undefined) throw notTold(refusal.code, new URL(alerts.url).host);
    cli.say('The receiver has accepted the message.');
    return 0;
  } finally {
    await transport.close();
  }
}

/** The path of the URL may be a secret, so the host alone is named. */
function notTold(code: string, host: string): RollcallError {
  return new RollcallError('RC_ALERT_REFUSED', `${host} has not accepted the message (${code}).`, {
    hint: code.startsWith('http_')
      ? 'Check its address and that it knows the secret; it must answer 2xx.'
      : 'Check its address. Only public addresses over https are sent to, and this machine when the URL says so.',
  });
}
