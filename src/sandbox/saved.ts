import * as z from 'zod';
import { RollcallError } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/json.ts';

/** A value that was JSON when it was saved; exact numbers are kept as they were read. */
export const savedJson: z.ZodType<Json> = z.custom<Json>((value) => value !== undefined);

/** Values by name, as `savedJson`. */
export const savedValues: z.ZodType<JsonObject> = z.record(z.string(), savedJson);

/**
 * Checks a part of a saved state.
 * @param part what it is, for the message
 * @throws RollcallError `RC_SANDBOX_STATE`
 */
export function readSaved<Value>(shape: z.ZodType<Value>, saved: unknown, part: string): Value {
  const checked = shape.safeParse(saved);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  const place = [part, ...(issue?.path ?? [])].join('.');
  throw new RollcallError(
    'RC_SANDBOX_STATE',
    `This is no state that the sandbox saved: ${place}: ${issue?.message ?? 'is not valid'}.`,
    { hint: 'Give a file that this version of the sandbox wrote, or none, to begin with nothing.' },
  );
}
