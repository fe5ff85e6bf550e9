import { lookup as dnsLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { HttpResponse } from '../core/destination.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Send, SendResult } from '../engine/ports.ts';
import { failureOutcome, stoppedOutcome } from './failure.ts';
import { fetchFailure } from './fetch-failure.ts';
import { addressProblem, GuardError, type GuardOptions, urlProblem } from './guard.ts';
import { headersOf, LONGEST_BODY, secretsOf, withoutSecrets } from './request-parts.ts';

export interface FetchSendOptions extends GuardOptions {
  /** Sends in place of the platform's own. */
  readonly fetch?: typeof fetch | undefined;
  /** The time that signatures tell, in ms since the epoch; that of this machine when absent. */
  readonly now?: (() => number) | undefined;
  /** All addresses of a name; those that the system's resolver gives when absent. */
  readonly resolve?: ((hostname: string) => Promise<readonly string[]>) | undefined;
}

/** A name is looked up once in so many ms. */
const LOOKED_UP_MS = 30_000;

/**
 * Sends requests with the platform's `fetch`: no redirects followed, and each within its deadline.
 *
 * Two things that the Node transport does are not to be had here. `fetch` does not tell when the first byte leaves, so only errors
 * that are known to come before it (a name without an address, a refused connection, a certificate) mean that nothing was sent;
 * whatever else ends without an answer is `unknown`. And it takes no address, so a name is looked up and checked before, and looked
 * up again by `fetch`: one that answers differently the second time gets past the guard.
 */
export function createFetchSend(options: FetchSendOptions = {}): Send {
  const guarded = guard(options.resolve ?? systemAddresses);

  async function exchange(
    ...[request, auth, { deadlineMs, signal, longest = LONGEST_BODY }]: Parameters<Send>
  ): Promise<{ response: HttpResponse } | { outcome: Outcome }> {
    const url = URL.canParse(request.url) ? new URL(request.url) : undefined;
    const host = url?.host ?? 'the destination';
    if (signal?.aborted === true) return { outcome: stoppedOutcome('aborted', false, host) };
    if (deadlineMs <= 0) return { outcome: stoppedOutcome('deadline', false, host) };
    const within: GuardOptions = request.allowPrivate === true ? { allowPrivate: true } : options;
    const problem = url === undefined ? 'The URL is malformed.' : urlProblem(url, within);
    if (url === undefined || problem !== undefined) {
      const message = problem ?? 'The URL is malformed.';
      return { outcome: { kind: 'config', code: 'blocked_address', message } };
    }
    const deadline = AbortSignal.timeout(Math.ceil(deadlineMs));
    const ends = signal === undefined ? deadline : AbortSignal.any([deadline, signal]);
    let sent = false;
    try {
      await unlessOver(guarded(url.hostname, within), ends);
      sent = true;
      const answer = await (options.fetch ?? fetch)(url, {
        method: request.method,
        headers: headersOf(request, auth, options.now ?? Date.now),
        body: request.body ?? null,
        redirect: 'manual',
        signal: ends,
      });
      const body = withoutSecrets(await firstBytes(answer, longest), secretsOf(auth));
      return { response: { status: answer.status, headers: Object.fromEntries(answer.headers), body } };
    } catch (error) {
      if (ends.aborted) return { outcome: stoppedOutcome(deadline.aborted ? 'deadline' : 'aborted', sent, host) };
      if (error instanceof GuardError || !sent) return { outcome: failureOutcome(error, false, host) };
      const { before, code } = fetchFailure(error);
      return { outcome: failureOutcome({ code }, !before, host) };
    }
  }

  return async (...args): Promise<SendResult> => {
    const began = performance.now();
    const result = await exchange(...args);
    const latencyMs = performance.now() - began;
    return 'response' in result ? { answered: true, ...result, latencyMs } : { answered: false, ...result, latencyMs };
  };
}

/** Looks names up, and lets through those that have an address that may be sent to. @throws GuardError, or that of the lookup */
function guard(
  resolve: NonNullable<FetchSendOptions['resolve']>,
): (hostname: string, options: GuardOptions) => Promise<void> {
  const known = new Map<string, { readonly at: number; readonly addresses: readonly string[] }>();
  return async (hostname, options) => {
    if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return;
    let found = known.get(hostname);
    if (found === undefined || performance.now() - found.at > LOOKED_UP_MS) {
      found = { at: performance.now(), addresses: await resolve(hostname) };
      known.set(hostname, found);
    }
    const problems = found.addresses.map((address) => addressProblem(hostname, address, options));
    // The Node transport connects to those that are allowed; here any of them may be taken.
    const [problem] = problems.filter((each) => each !== undefined);
    if (problem !== undefined) throw new GuardError(problem);
  };
}

/** None where the platform has no resolver for us: then the URL alone is checked. @throws what a resolver says of a name */
async function systemAddresses(hostname: string): Promise<readonly string[]> {
  try {
    return (await dnsLookup(hostname, { all: true })).map(({ address }) => address);
  } catch (error) {
    if (/^(?:ENOTFOUND|ENODATA|EAI_\w+)$/.test(String((error as { code?: unknown }).code))) throw error;
    return [];
  }
}

/** What the work comes to; should the signal abort first, it is left alone, and what it comes to is nobody's. @throws also the reason */
async function unlessOver(work: Promise<void>, signal: AbortSignal): Promise<void> {
  let forget: (() => void) | undefined;
  const over = new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    forget = () => signal.removeEventListener('abort', onAbort);
  });
  try {
    await Promise.race([work, over]);
    signal.throwIfAborted();
  } finally {
    forget?.();
  }
}

/** Of a body at most so much as is kept; the rest is not read. */
async function firstBytes({ body }: Response, longest: number): Promise<string> {
  if (body === null) return '';
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let text = '';
  for (let left = longest; left > 0;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value.subarray(0, left), { stream: true });
    left -= value.byteLength;
  }
  // What it says to that is nobody's.
  reader.cancel().catch(() => undefined);
  return text + decoder.decode();
}
