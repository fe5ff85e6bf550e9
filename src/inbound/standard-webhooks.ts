import type { Verdict } from './verify.ts';

/** As the specification suggests. */
const WINDOW_S = 300;
/** Of the form of Supabase's Auth Hooks (`v1,whsec_<base64>`), and of the specification (`whsec_<base64>`). */
const SECRET = /^(?:v1,)?whsec_([A-Za-z0-9+/]+={0,2})$/;
/** Several signatures stand in one header, with spaces between; Supabase Auth puts commas too. */
const SIGNATURES = /v1,([A-Za-z0-9+/]{43}=)/g;

const encoder = new TextEncoder();

/**
 * Proves a request by Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks): `v1,` and the base64 HMAC-SHA256 of
 * `id.timestamp.body`, by any of the secrets. `crypto.subtle.verify` takes as long whatever differs.
 * @param body as it came
 * @param secrets those that are none are passed over
 */
export async function verifyStandard(
  { headers, body }: { readonly headers: Headers; readonly body: string },
  secrets: readonly string[],
  nowMs: number,
): Promise<Verdict> {
  const [id, timestamp, said] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) =>
    headers.get(name),
  );
  if (id == null || timestamp == null || said == null) return 'unsigned';
  const signatures = [...said.matchAll(SIGNATURES)].map(([, text = '']) => bytesOf(text));
  const keys = secrets.flatMap((secret) => keyOf(secret) ?? []);
  const signed = new Uint8Array(encoder.encode(`${id}.${timestamp}.${body}`));
  const matches = await Promise.all(
    keys.flatMap((key) => signatures.map((signature) => isSigned(key, signature, signed))),
  );
  if (!matches.includes(true)) return 'forged';
  return /^\d{1,12}$/.test(timestamp) && Math.abs(Number(timestamp) - nowMs / 1_000) <= WINDOW_S ? 'proved' : 'stale';
}

/** The key in a secret; undefined when it is none. */
export function keyOf(secret: string): Uint8Array<ArrayBuffer> | undefined {
  const text = SECRET.exec(secret)?.[1];
  try {
    return text === undefined ? undefined : bytesOf(text);
  } catch {
    // Letters of base64, and no base64: one is missing.
    return undefined;
  }
}

async function isSigned(
  secret: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
  signed: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
  return await crypto.subtle.verify('HMAC', key, signature, signed);
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let n = 0; n < text.length; n += 1) bytes[n] = text.charCodeAt(n);
  return bytes;
}
