import type { Inbound, InboundFact } from '../core/inbound.ts';
import { verify, type Verdict } from './verify.ts';

/** Why a request was not taken. */
export type Refusal = Exclude<Verdict, 'proved'> | 'malformed';

/** What came of a request: what it says, or why it is refused. Nothing is stored yet. */
export type Received =
  | { readonly ok: true; readonly facts: readonly InboundFact[]; readonly status: 200 }
  | { readonly ok: false; readonly refusal: Refusal; readonly status: 400 | 401; readonly problem: string };

/** What the sender is told of it; whoever cannot prove who they are learns nothing else. */
const PROBLEMS: Readonly<Record<Exclude<Refusal, 'malformed'>, string>> = {
  unsigned: 'there is no signature',
  forged: 'the signature does not match',
  stale: 'the signature is of another time',
};

/**
 * Proves a request and reads what it says: all of it, or nothing.
 * @param of the destination's receiver, and the secrets it has now
 */
export async function receive(
  request: { readonly headers: Headers; readonly body: Uint8Array<ArrayBuffer> },
  of: { readonly inbound: Pick<Inbound<never>, 'proof' | 'read'>; readonly secrets: readonly string[] },
  nowMs: number,
): Promise<Received> {
  const verdict = await verify(of.inbound.proof, request, of.secrets, nowMs);
  if (verdict !== 'proved') return { ok: false, refusal: verdict, status: 401, problem: PROBLEMS[verdict] };
  const text = textOf(request.body);
  const reading = text === undefined ? undefined : of.inbound.read(text);
  if (reading?.ok === true) return { ok: true, facts: reading.facts, status: 200 };
  return { ok: false, refusal: 'malformed', status: 400, problem: reading?.problem ?? 'the body is no UTF-8' };
}

function textOf(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}
