import type { Context } from 'hono';
import type { ZodType } from 'zod';
import { RollcallError } from '../core/errors.ts';
import { parseJson, type Json } from '../core/json.ts';

/** Bytes; 50,000 opt-outs fit. */
const MAX_BODY = 8 * 1024 * 1024;

/**
 * The checked JSON body of a control request.
 * @throws RollcallError `RC_SANDBOX_INPUT`
 */
export async function readInput<Value>(context: Context, shape: ZodType<Value>): Promise<Value> {
  const body = await readJson(context, MAX_BODY);
  const checked = shape.safeParse(body);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  throw new RollcallError(
    'RC_SANDBOX_INPUT',
    `${issue?.path.join('.') || 'The body'}: ${issue?.message ?? 'is not valid'}`,
  );
}

/**
 * The JSON body of a control request, with exact numbers.
 * @param limit bytes
 * @throws RollcallError `RC_SANDBOX_INPUT`
 */
export async function readJson(context: Context, limit: number): Promise<Json> {
  const text = await limitedText(context.req.raw, limit);
  try {
    return parseJson(text);
  } catch {
    throw new RollcallError('RC_SANDBOX_INPUT', 'The body of this control request is no JSON.');
  }
}

// Not hono's own body limit: it builds a `Request` from the adapter's, which works only where the adapter replaces the
// global one, and a library must not do that to the program it is loaded into.
async function limitedText(request: Request, limit: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > limit) throw new RollcallError('RC_SANDBOX_INPUT', 'The body of this control request is too large.');
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
