import { fork, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

/**
 * A sink in a process of its own: takes one contact a request, or many in an import that ends at once; answers as Mailtrap does, and
 * remembers when each address came.
 */
export interface Sink {
  readonly url: string;
  /** Addresses seen that begin so, with the time (ms since the epoch) of their first request. */
  seen(prefix?: string): Promise<ReadonlyMap<string, number>>;
  count(): Promise<number>;
  /** Requests since the last reset. */
  calls(): Promise<number>;
  reset(): Promise<void>;
  /** Answers 500 to everything from now on, or no longer. */
  failing(on: boolean): Promise<void>;
  close(): void;
}

export async function startSink(): Promise<Sink> {
  const child = fork(fileURLToPath(import.meta.url), ['sink'], { stdio: 'inherit' });
  const port = Number(await ask(child, 'port'));
  return {
    url: `http://127.0.0.1:${port}`,
    seen: async (prefix = '') => new Map((await ask(child, `seen ${prefix}`)) as [string, number][]),
    count: async () => Number(await ask(child, 'count')),
    calls: async () => Number(await ask(child, 'calls')),
    reset: async () => {
      await ask(child, 'reset');
    },
    failing: async (on) => {
      await ask(child, on ? 'fail' : 'heal');
    },
    close: () => child.kill(),
  };
}

function ask(child: ChildProcess, question: string): Promise<unknown> {
  return new Promise((resolve) => {
    child.once('message', resolve);
    child.send(question);
  });
}

function serve(): void {
  const seen = new Map<string, number>();
  let calls = 0;
  let failing = false;
  const server = createServer((request, response) => {
    const at = Date.now();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      calls += 1;
      if (failing) {
        response.writeHead(500).end();
        return;
      }
      if (request.url?.includes('/imports') === true) {
        response.writeHead(request.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' });
        response.end(`{"id":1,"status":"${request.method === 'POST' ? 'started' : 'finished'}"}`);
        if (request.method !== 'POST') return;
        const { contacts } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { contacts: { email: string }[] };
        for (const contact of contacts) if (!seen.has(contact.email)) seen.set(contact.email, at);
        return;
      }
      const email = /"email":"([^"]*)"/.exec(Buffer.concat(chunks).toString('utf8'))?.[1] ?? '';
      if (!seen.has(email)) seen.set(email, at);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(`{"action":"created","data":{"id":"id-${email}","email":"${email}","status":"subscribed"}}`);
    });
  });
  server.listen(0, '127.0.0.1');
  const answers: Record<string, (prefix: string) => unknown> = {
    port: () => (server.address() as AddressInfo).port,
    seen: (prefix) => [...seen].filter(([email]) => email.startsWith(prefix)),
    count: () => seen.size,
    calls: () => calls,
    fail: () => {
      failing = true;
      return 'ok';
    },
    heal: () => {
      failing = false;
      return 'ok';
    },
    reset: () => {
      seen.clear();
      calls = 0;
      return 'ok';
    },
  };
  process.once('disconnect', () => process.exit(1));
  process.on('message', (question: string) => {
    const [name = '', prefix = ''] = question.split(' ');
    if (server.listening) process.send?.(answers[name]?.(prefix));
    else server.once('listening', () => process.send?.(answers[name]?.(prefix)));
  });
}

if (process.argv[2] === 'sink') serve();
