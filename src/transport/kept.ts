import { Agent, request } from 'undici';
import { RollcallError } from '../core/errors.ts';
import type { KeptPlace } from '../engine/kept-ports.ts';
import { keptUnreadable } from '../engine/kept.ts';
import { failureOutcome } from './failure.ts';
import { guardedLookup, urlProblem } from './guard.ts';

const TIMEOUT_MS = 60_000;
const CONNECT_MS = 10_000;
/** A line takes some 300 bytes. */
const MOST_BYTES = 512 * 2 ** 20;

/**
 * An object behind a URL, as Supabase Storage has them (`PUT` and `GET /storage/v1/object/<bucket>/<path>`), through the same guard
 * as every request; redirects are not followed.
 * @param token the bearer token; none where undefined
 */
export function keptObject(url: string, token: string | undefined): KeptPlace {
  const target = new URL(url);
  const name = target.host;
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  async function exchange(
    method: 'GET' | 'PUT',
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const problem = urlProblem(target, {});
    if (problem !== undefined) throw new Error(problem);
    const agent = new Agent({ connect: { timeout: CONNECT_MS, lookup: guardedLookup({}) } });
    try {
      const answer = await request(target, {
        method,
        dispatcher: agent,
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
        headers: {
          ...headers,
          ...(body === undefined ? {} : { 'content-type': 'application/x-ndjson', 'x-upsert': 'true' }),
        },
        body: body ?? null,
      });
      const parts: Uint8Array[] = [];
      let size = 0;
      for await (const part of answer.body as AsyncIterable<Uint8Array>) {
        size += part.length;
        if (size > MOST_BYTES) throw new Error('it is too large');
        parts.push(part);
      }
      return { status: answer.statusCode, text: Buffer.concat(parts).toString('utf8') };
    } finally {
      await agent.destroy();
    }
  }
  return {
    name,
    async read(signal) {
      const answer = await exchange('GET', undefined, signal).catch((error: unknown) => {
        throw keptUnreadable(name, wordsOf(error, name), error);
      });
      if (answer.status !== 200) throw keptUnreadable(name, `it answered with status ${answer.status}`);
      return answer.text;
    },
    async write(text, signal) {
      const answer = await exchange('PUT', text, signal).catch((error: unknown) => {
        throw unwritable(name, wordsOf(error, name), error);
      });
      if (answer.status < 200 || answer.status > 299)
        throw unwritable(name, `it answered with status ${answer.status}`);
    },
  };
}

/** @param why the end of a sentence */
export function unwritable(name: string, why: string, cause?: unknown): RollcallError {
  return new RollcallError(
    'RC_KEPT_UNWRITABLE',
    `What outlives a restore could not be written to ${name}: ${why.replace(/\.$/, '')}.`,
    { hint: 'See `erasure.export` in the config; it is tried again.', cause },
  );
}

function wordsOf(error: unknown, host: string): string {
  const outcome = failureOutcome(error, true, host);
  return outcome.kind === 'delivered' ? 'no answer came' : outcome.message;
}
