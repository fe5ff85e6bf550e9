import {
  Agent,
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { pause } from '../../../src/engine/wake.ts';
import { type DestinationId, DESTINATIONS } from './plan.ts';
import { EXCHANGE_HEADER, type Exchange, sharedNow } from './exchange.ts';
import { drawFate, type Weather } from './weather.ts';

export interface Proxy {
  readonly url: string;
  readonly exchanges: readonly Exchange[];
  setWeather(of: DestinationId, weather: Weather): void;
  /** Requests that are still held. */
  readonly held: number;
  close(): Promise<void>;
}

/** What the witness in a worker calls the request. */
const SENT_HEADER = 'x-chaos-sent';

/**
 * An HTTP proxy before the sandbox that does to requests what networks do.
 * @param to the sandbox's URL
 */
export async function startProxy(to: string, graceMs: number, random: () => number): Promise<Proxy> {
  const target = new URL(to);
  const agent = new Agent({ keepAlive: true, maxSockets: 200 });
  const weathers = new Map<DestinationId, Weather>();
  const exchanges: Exchange[] = [];
  let held = 0;

  /** Brings a request to the stand-in. */
  const forward = (exchange: Exchange, headers: IncomingHttpHeaders): Promise<Answer> => {
    exchange.forwardedAt.push(sharedNow());
    return new Promise((resolve, reject) => {
      const onward = request(
        {
          agent,
          host: target.hostname,
          port: target.port,
          method: exchange.method,
          path: exchange.path,
          headers: { ...headers, [EXCHANGE_HEADER]: String(exchange.n) },
        },
        (incoming) => {
          const read = async (): Promise<Answer> => {
            const body = await readAll(incoming);
            exchange.status = incoming.statusCode ?? 0;
            return { status: exchange.status, headers: incoming.headers, body };
          };
          read().then(resolve, reject);
        },
      );
      onward.on('error', reject);
      onward.end(exchange.body);
    });
  };

  const answer = (exchange: Exchange, outgoing: ServerResponse, { status, headers, body }: Answer): void => {
    if (outgoing.destroyed) return;
    outgoing.writeHead(status, endToEnd(headers));
    outgoing.end(body, () => {
      exchange.answeredAt = sharedNow();
    });
  };

  const later = async (ms: number, work: () => Promise<unknown>): Promise<void> => {
    held += 1;
    await pause(ms);
    await work().catch(() => undefined);
    held -= 1;
  };

  const serve = async (exchange: Exchange, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { fate } = exchange;
    const { [SENT_HEADER]: _, ...headers } = incoming.headers;
    const cut = (): void => void outgoing.destroy();
    switch (fate.do) {
      case 'pass':
        return answer(exchange, outgoing, await forward(exchange, headers));
      case 'delay':
        await pause(fate.ms);
        return answer(exchange, outgoing, await forward(exchange, headers));
      case 'hold':
        if (fate.cut) cut();
        // The sender that is not cut off waits, as long as it likes to.
        return await later(fate.ms, async () => answer(exchange, outgoing, await forward(exchange, headers)));
      case 'lose':
        return cut();
      case 'mute':
        await forward(exchange, headers);
        return cut();
      case 'truncate': {
        const whole = await forward(exchange, headers);
        outgoing.writeHead(whole.status, { ...endToEnd(whole.headers), 'content-length': whole.body.length + 10 });
        outgoing.write(whole.body.subarray(0, whole.body.length >> 1), cut);
        return;
      }
      case 'twice': {
        const answers = [await forward(exchange, headers), await forward(exchange, headers)];
        return answer(exchange, outgoing, answers[fate.answer]!);
      }
      case 'echo':
        await forward(exchange, headers);
        cut();
        // From when it came, and not from now.
        return await later(Math.max(0, exchange.arrivedAt + fate.ms - sharedNow()), () => forward(exchange, headers));
      case 'deny':
        await forward(exchange, headers);
        outgoing.writeHead(fate.status).end('<html>Bad Gateway</html>');
        return;
      case 'feign':
        outgoing.writeHead(200, { 'content-type': 'text/html' }).end(fate.body);
        return;
      case 'refuse':
        outgoing.writeHead(fate.status).end();
        return;
      default:
        return fate satisfies never;
    }
  };

  const server = createServer((incoming, outgoing) => {
    const arrivedAt = sharedNow();
    outgoing.on('error', () => undefined);
    void (async () => {
      const body = (await readAll(incoming)).toString('utf8');
      const path = incoming.url ?? '/';
      const method = incoming.method ?? 'GET';
      const destination = DESTINATIONS.find((each) => path === `/${each}` || path.startsWith(`/${each}/`));
      if (destination === undefined) throw new Error(`nothing is behind ${path}`);
      const fate = drawFate(weathers.get(destination) ?? {}, graceMs, proves(destination, method), random);
      const exchange: Exchange = {
        n: exchanges.length,
        destination,
        method,
        path,
        body,
        sentAs: String(incoming.headers[SENT_HEADER] ?? ''),
        arrivedAt,
        fate,
        forwardedAt: [],
      };
      exchanges.push(exchange);
      await serve(exchange, incoming, outgoing);
    })().catch(() => outgoing.destroy());
  });
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exchanges,
    setWeather: (of, weather) => void weathers.set(of, weather),
    get held() {
      return held;
    },
    async close() {
      agent.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A receiver of webhooks proves nothing by its body, and a deletion needs none: a feigned success there is believed by design. */
function proves(destination: DestinationId, method: string): boolean {
  return destination !== 'webhook' && method !== 'DELETE';
}

function endToEnd({
  connection: _1,
  'keep-alive': _2,
  'transfer-encoding': _3,
  ...headers
}: IncomingHttpHeaders): IncomingHttpHeaders {
  return headers;
}

async function readAll(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
