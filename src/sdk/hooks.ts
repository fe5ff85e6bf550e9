import { RollcallError } from '../core/errors.ts';
import { type JsonObject, isJsonObject, parseJson } from '../core/json.ts';
import { readWebhook, type RowWebhook } from '../inbound/database-webhook.ts';
import { keyOf, verifyStandard } from '../inbound/standard-webhooks.ts';
import { type Verdict, verify } from '../inbound/verify.ts';

/** A request as a server has it: a `Request`, or headers (those of Node too) and the body as it came, text or bytes. */
export type HookRequest =
  | Request
  | {
      readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>;
      readonly body: string | Uint8Array;
    };

/** One, or several while it is changed for another; a variable of the environment that is not set is a mistake, and said so. */
export type HookSecrets = string | undefined | readonly (string | undefined)[];

const WHY: Readonly<Record<Exclude<Verdict, 'proved'>, string>> = {
  unsigned: 'It carries no proof',
  forged: 'Its proof does not match',
  stale: 'It is of another time',
};

/**
 * Proves a call of a Supabase Auth Hook (Standard Webhooks) and reads it. Numbers that a double would change are kept exact.
 * @param secrets as the dashboard shows them: `v1,whsec_...`; also several in one text with `|` between, as Supabase's own config has them
 * @throws RollcallError `RC_HOOK_REFUSED`: answer it with 401
 * @throws TypeError where there is no secret, or one that is none: no request is to blame for that
 */
export async function verifyAuthHook(request: HookRequest, secrets: HookSecrets): Promise<JsonObject> {
  const all = listOf(secrets).flatMap((each) => each.split('|'));
  if (all.some((secret) => keyOf(secret) === undefined))
    throw new TypeError('A secret of an Auth Hook is written v1,whsec_<base64>, as the dashboard shows it.');
  const { headers, body } = await partsOf(request);
  refuse(await verifyStandard({ headers, body }, all, Date.now()));
  return objectIn(body);
}

/**
 * Proves a call of a Database Webhook and reads it. The platform does not sign them: the proof is a header `Authorization: Bearer
 * <secret>` that the webhook is made with.
 * @throws RollcallError `RC_HOOK_REFUSED`: answer it with 401
 * @throws TypeError where there is no secret
 */
export async function verifyDatabaseWebhook(request: HookRequest, secrets: HookSecrets): Promise<RowWebhook> {
  const all = listOf(secrets);
  const { headers, body } = await partsOf(request);
  refuse(await verify({ by: 'bearer' }, { headers, body: new Uint8Array(new TextEncoder().encode(body)) }, all, 0));
  const read = readWebhook(body);
  if (!read.ok) throw refused(`It is no Database Webhook: ${read.problem}`);
  return read.webhook;
}

/** The headers that prove something; what else is there may be no header of fetch at all, such as `:path` of HTTP/2. */
const PROOFS = ['authorization', 'webhook-id', 'webhook-timestamp', 'webhook-signature'];

async function partsOf(request: HookRequest): Promise<{ readonly headers: Headers; readonly body: string }> {
  // Frameworks bring classes of their own, so it is told by what it can do.
  if ('text' in request) return { headers: request.headers, body: await request.text() };
  const { headers, body } = request;
  const text = typeof body === 'string' ? body : new TextDecoder('utf-8', { ignoreBOM: true }).decode(body);
  if (headers instanceof Headers) return { headers, body: text };
  const proofs = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value === undefined || !PROOFS.includes(name.toLowerCase()) ? [] : [[name, [value].flat().join(', ')]],
  );
  return { headers: new Headers(proofs), body: text };
}

/** @throws TypeError where there is none: an empty variable must not let everybody in, nor look like a forgery */
function listOf(secrets: HookSecrets): readonly string[] {
  // Files and dashboards leave the end of a line at them.
  const all = [secrets].flat().flatMap((secret) => secret?.trim() || []);
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
