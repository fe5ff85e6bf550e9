import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { onCleanup } from './database.ts';

/** For tests: one message that a receiver of alerts has got. */
export interface Received {
  readonly id: string;
  readonly type: string;
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Whether signature and time are right, by the library of Standard Webhooks. */
  readonly signed: boolean;
}

/** For tests: takes alerts. */
export interface Receiver {
  readonly url: string;
  readonly got: readonly Received[];
  /** What it answers from now on. */
  answer(status: number, headers?: Readonly<Record<string, string>>): void;
}

/** For tests: the secret of all receivers. */
export const ALERT_SECRET = `whsec_${Buffer.from('a secret of more than 24 bytes').toString('base64')}`;

export async function createReceiver(): Promise<Receiver> {
  const got: Received[] = [];
  let status = 200;
  let headers: Readonly<Record<string, string>> = {};
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const id = String(request.headers['webhook-id']);
      const signed = isSigned(body, request.headers as Record<string, string>);
      got.push({ ...(JSON.parse(body) as Omit<Received, 'id' | 'signed'>), id, signed });
      response.writeHead(status, headers).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onCleanup(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts?key=secret-of-the-path`,
    got,
    answer(next, more = {}) {
      status = next;
      headers = more;
    },
  };
}

function isSigned(body: string, headers: Record<string, string>): boolean {
  try {
    new Webhook(ALERT_SECRET).verify(body, headers);
    return true;
  } catch {
    return false;
  }
}
