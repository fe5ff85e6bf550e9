import { RollcallError } from '../core/errors.ts';
import { type JsonObject, isJsonObject, parseJson } from '../core/json.ts';
import { readWebhook, type RowWebhook } from '../inbound/database-webhook.ts';
import { verifyStandard } from '../inbound/standard-webhooks.ts';
import { type Verdict, verify } from '../inbound/verify.ts';

/** A request as a server has it: a `Request`, or headers and the body as it came. */
export type HookRequest =
  | Request
  | { readonly headers: Headers | Readonly<Record<string, string>>; readonly body: string };

/** One, or several while it is changed for another. */
export type HookSecrets = string | readonly string[];

const WHY: Readonly<Record<Exclude<Verdict, 'proved'>, string>> = {
  unsigned: 'It carries no proof',
  forged: 'Its proof does not match',
  stale: 'It is of another time',
};

/**
 * Proves a call of a Supabase Auth Hook (Standard Webhooks) and reads it. Numbers that a double would change are kept exact.
 * @param secrets as the dashboard shows them: `v1,whsec_...`
 * @throws RollcallError `RC_HOOK_REFUSED`: answer it with 401
 */
export async function verifyAuthHook(request: HookRequest, secrets: HookSecrets): Promise<JsonObject> {
  const { headers, body } = await partsOf(request);
  refuse(await verifyStandard({ headers, body }, listOf(secrets), Date.now()));
  return objectIn(body);
}

/**
 * Proves a call of a Database Webhook and reads it. The platform does not sign them: the proof is a header `Authorization: Bearer
 * <secret>` that the webhook is made with.
 * @throws RollcallError `RC_HOOK_REFUSED`: answer it with 401
 */
export async function verifyDatabaseWebhook(request: HookRequest, secrets: HookSecrets): Promise<RowWebhook> {
  const { headers, body } = await partsOf(request);
  refuse(
    await verify(
      { by: 'bearer' },
      { headers, body: new Uint8Array(new TextEncoder().encode(body)) },
      listOf(secrets),
      0,
    ),
  );
  const read = readWebhook(body);
  if (!read.ok) throw refused(`It is no Database Webhook: ${read.problem}`);
  return read.webhook;
}

async function partsOf(request: HookRequest): Promise<{ readonly headers: Headers; readonly body: string }> {
  const { headers, body } =
    request instanceof Request ? { headers: request.headers, body: await request.text() } : request;
  return { headers: headers instanceof Headers ? headers : new Headers(headers), body };
}

/** @throws TypeError where there is none: an empty variable must not let everybody in, nor look like a forgery */
function listOf(secrets: HookSecrets): readonly string[] {
  const all = (typeof secrets === 'string' ? [secrets] : secrets).filter((secret) => secret !== '');
  if (all.length === 0) throw new TypeError('There is no secret to prove the request by.');
  return all;
}

function refuse(verdict: Verdict): void {
  if (verdict !== 'proved') throw refused(WHY[verdict]);
}

function objectIn(body: string): JsonObject {
  try {
    const value = parseJson(body);
    if (isJsonObject(value)) return value;
  } catch {
    // Said below.
  }
  throw refused('Its body is no JSON object');
}

function refused(why: string): RollcallError {
  return new RollcallError('RC_HOOK_REFUSED', `The request is refused. ${why}.`, {
    hint: 'Answer with 401. If it is yours: the secret here and in the Supabase dashboard must be the same.',
  });
}
