import type { Context } from 'hono';
import type { ZodType } from 'zod';
import { RollcallError } from '../core/errors.ts';

/**
 * The checked JSON body of a control request.
 * @throws RollcallError `RC_SANDBOX_INPUT`
 */
export async function readInput<Value>(context: Context, shape: ZodType<Value>): Promise<Value> {
  let body: unknown;
  try {
    body = await context.req.json();
  } catch {
    throw new RollcallError('RC_SANDBOX_INPUT', 'The body of this control request is no JSON.');
  }
  const checked = shape.safeParse(body);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  throw new RollcallError(
    'RC_SANDBOX_INPUT',
    `${issue?.path.join('.') || 'The body'}: ${issue?.message ?? 'is not valid'}`,
  );
}
