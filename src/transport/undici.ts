import { setMaxListeners } from 'node:events';
import { Agent, type Dispatcher } from 'undici';
import type { HttpResponse } from '../core/destination.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Send, SendResult } from '../engine/ports.ts';
import { failureOutcome, stoppedOutcome } from './failure.ts';
import { type GuardOptions, guardedLookup, type LookupAll, urlProblem } from './guard.ts';
import { headersOf, LONGEST_BODY, secretsOf, withoutSecrets } from './request-parts.ts';

/** For a request that may also go to a private network. */
const TO_PRIVATE: GuardOptions = { allowPrivate: true };

export interface UndiciSendOptions extends GuardOptions {
  /** Connections kept to one origin; 50 when absent. Requests beyond wait their turn within their deadline. */
  readonly connections?: number | undefined;
  /** Time to connect, TLS included, in ms; 10,000 when absent. */
  readonly connectTimeoutMs?: number | undefined;
  /** PEM certificates trusted instead of the system's, for a destination behind a private authority. */
  readonly ca?: string | undefined;
  /** The time that signatures tell, in ms since the epoch; that of this machine when absent. */
  readonly now?: (() => number) | undefined;
  /** Resolves names; `dns.lookup` when absent. */
  readonly lookup?: LookupAll | undefined;
}

function flatHeaders(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    flat[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : (value ?? '');
  }
  return flat;
}

/** One request on its way. Settles once; what happens later is ignored. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #host: string;
  readonly #secrets: readonly string[];
  readonly #longest: number;
  readonly #settle: (result: { response: HttpResponse } | { outcome: Outcome }) => void;
  #settled = false;
  /** Present from just before the first byte is written: the line between `retry` and `unknown`. */
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: Record<string, string> = {};
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(
    host: string,
    secrets: readonly string[],
    longest: number,
    settle: (result: { response: HttpResponse } | { outcome: Outcome }) => void,
  ) {
    this.#host = host;
    this.#secrets = secrets;
    this.#longest = longest;
    this.#settle = settle;
  }

  /** Ends it from our side. */
  stop(code: 'deadline' | 'aborted'): void {
    const controller = this.#controller;
    this.#finish({ outcome: stoppedOutcome(code, controller !== undefined, this.#host) });
    controller?.abort(new Error(code));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // It waited for a connection past its end. Throwing here takes it out of the queue before a byte is written.
    if (this.#settled) throw new Error('settled');
    this.#controller = controller;
  }

  onResponseStart(_controller: unknown, status: number, headers: NodeJS.Dict<string | string[]>): void {
    this.#status = status;
    this.#headers = flatHeaders(headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const room = this.#longest - this.#bytes;
    this.#chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
    this.#bytes += Math.min(chunk.length, room);
    if (chunk.length <= room) return;
    this.#answer();
    controller.abort(new Error('cut'));
  }

  onResponseEnd(): void {
    this.#answer();
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#finish({ outcome: failureOutcome(error, this.#controller !== undefined, this.#host) });
  }

  #answer(): void {
    const body = withoutSecrets(Buffer.concat(this.#chunks).toString('utf8'), this.#secrets);
    this.#finish({ response: { status: this.#status, headers: this.#headers, body } });
  }

  #finish(result: { response: HttpResponse } | { outcome: Outcome }): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#chunks = [];
    this.#settle(result);
  }
}

/**
 * Sends requests with undici: connections kept alive in a pool per origin, one request at a time on each, no redirects
 * followed, no automatic repetition. Which failures mean that nothing was sent is not guessed from error codes: undici
 * reports the moment just before it writes the first byte.
 *
 * `close` lets what is in flight end, each by its own deadline, and refuses what comes later.
 */
export function createUndiciSend(options: UndiciSendOptions = {}): { send: Send; close(): Promise<void> } {
  const open = (guard: GuardOptions): Agent =>
    new Agent({
      connections: options.connections ?? 50,
      pipelining: 1,
      // The deadline of each request is the only clock for answers.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: {
        timeout: options.connectTimeoutMs ?? 10_000,
        lookup: guardedLookup(guard, options.lookup),
        ...(options.ca === undefined ? {} : { ca: options.ca }),
      },
    });
  const agent = open(options);
  // Connections of their own: one that was let through to a private network must not carry a request that may not go there.
  let toPrivate: Agent | undefined;

  const inFlight = new Set<Promise<SendResult>>();
  let closed = false;

  function start(
    ...[request, auth, { deadlineMs, signal, longest = LONGEST_BODY }]: Parameters<Send>
  ): Promise<SendResult> {
    const started = performance.now();
    return new Promise<SendResult>((resolve) => {
      const settle = (result: { response: HttpResponse } | { outcome: Outcome }): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        const latencyMs = performance.now() - started;
        resolve(
          'response' in result ? { answered: true, ...result, latencyMs } : { answered: false, ...result, latencyMs },
        );
      };
      const url = URL.canParse(request.url) ? new URL(request.url) : undefined;
      const exchange = new Exchange(url?.host ?? 'the destination', secretsOf(auth), longest, settle);
      const onAbort = (): void => exchange.stop('aborted');
      const timer = setTimeout(() => exchange.stop('deadline'), Math.max(0, deadlineMs));
      if (closed || signal?.aborted === true) return onAbort();
      if (deadlineMs <= 0) return exchange.stop('deadline');
      const guard = request.allowPrivate === true ? TO_PRIVATE : options;
      const problem = url === undefined ? 'The URL is malformed.' : urlProblem(url, guard);
      if (url === undefined || problem !== undefined) {
        const message = problem ?? 'The URL is malformed.';
        return settle({ outcome: { kind: 'config', code: 'blocked_address', message } });
      }
      if (signal !== undefined) {
        // One signal stops a whole worker; Node warns at the eleventh listener.
        setMaxListeners(0, signal);
        signal.addEventListener('abort', onAbort);
      }
      const method = request.method as Dispatcher.HttpMethod;
      const path = url.pathname + url.search;
      const { body } = request;
      const through = guard === TO_PRIVATE ? (toPrivate ??= open(TO_PRIVATE)) : agent;
      through.dispatch(
        { origin: url.origin, path, method, headers: headersOf(request, auth, options.now ?? Date.now), body },
        exchange,
      );
    });
  }

  return {
    async send(request, auth, sendOptions): Promise<SendResult> {
      const result = start(request, auth, sendOptions);
      inFlight.add(result);
      try {
        return await result;
      } finally {
        inFlight.delete(result);
      }
    },
    async close(): Promise<void> {
      closed = true;
      await Promise.all(inFlight);
      // Not agent.close(): it would also wait for connections that are still being made for requests already over.
      await Promise.all([agent.destroy(), toPrivate?.destroy()]);
    },
  };
}
