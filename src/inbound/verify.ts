import type { WebhookProof } from '../core/inbound.ts';

/** Whether a request is the vendor's. `stale`: proved, but of a time that is too long ago, or to come. */
export type Verdict = 'proved' | 'unsigned' | 'forged' | 'stale';

/** Standard Webhooks suggests as much; clocks differ, and a replay may not. */
const WINDOW_S = 300;
const TIMED = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/i;
const PLAIN = /^(?:sha256=)?([0-9a-f]{64})$/i;

const encoder = new TextEncoder();

/**
 * Proves a request by any of the secrets. All compares take as long whatever differs: `crypto.subtle.verify` for signatures, digests of
 * equal length for tokens.
 * @param body as it came
 * @param nowMs for signatures with a time
 */
export async function verify(
  proof: WebhookProof,
  request: { readonly headers: Headers; readonly body: Uint8Array<ArrayBuffer> },
  secrets: readonly string[],
  nowMs: number,
): Promise<Verdict> {
  return proof.by === 'bearer'
    ? await verifyToken(request.headers.get('authorization'), secrets)
    : await verifySignature(proof, request, secrets, nowMs);
}

async function verifyToken(header: string | null, secrets: readonly string[]): Promise<Verdict> {
  if (header === null) return 'unsigned';
  const said = await digest(header.replace(/^bearer +/i, 'bearer '));
  const matches = await Promise.all(secrets.map(async (secret) => isEqual(said, await digest(`bearer ${secret}`))));
  return matches.includes(true) ? 'proved' : 'forged';
}

async function verifySignature(
  { headers: names, timed }: WebhookProof & { by: 'hmac' },
  { headers, body }: { readonly headers: Headers; readonly body: Uint8Array<ArrayBuffer> },
  secrets: readonly string[],
  nowMs: number,
): Promise<Verdict> {
  const header = names
    .map((name) => headers.get(name))
    .find((value) => value !== null)
    ?.trim();
  if (header === undefined) return 'unsigned';
  const withTime = timed ? TIMED.exec(header) : null;
  const hex = withTime?.[2] ?? PLAIN.exec(header)?.[1];
  if (hex === undefined) return 'forged';
  const signed = withTime === null ? body : joined(encoder.encode(`${withTime[1]}.`), body);
  const signature = Uint8Array.from({ length: 32 }, (_, n) => Number.parseInt(hex.slice(2 * n, 2 * n + 2), 16));
  const matches = await Promise.all(secrets.map(async (secret) => await isSigned(secret, signature, signed)));
  if (!matches.includes(true)) return 'forged';
  return withTime !== null && Math.abs(Number(withTime[1]) - nowMs / 1_000) > WINDOW_S ? 'stale' : 'proved';
}

async function isSigned(
  secret: string,
  signature: Uint8Array<ArrayBuffer>,
  signed: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const of = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), of, false, ['verify']);
  return await crypto.subtle.verify('HMAC', key, signature, signed);
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text)));
}

/** Of equal length. */
function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  let differs = 0;
  for (const [n, byte] of a.entries()) differs |= byte ^ (b[n] ?? 0);
  return differs === 0;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
