import * as z from 'zod';

/**
 * An option that is a secret: a key or a token, as text that fits a header.
 * @param variable the environment variable it usually comes from
 * @param what with its article, for the message when it is empty
 */
export function secretText(variable: string, what: string, description: string): z.ZodType<string> {
  return z
    .string()
    .trim()
    .min(1, `is empty: set ${variable} to ${what}`)
    .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without spaces')
    .meta({ secret: true, description });
}

/** The option `limits_scale`, of every destination that has limits. */
export const limitsScale: z.ZodType<number> = z
  .number()
  .min(1)
  .max(10_000)
  .default(1)
  .meta({ description: 'Multiplies the limits; for the sandbox' });

/** The option `concurrency`. */
export const concurrency: z.ZodType<number> = z
  .int()
  .min(1)
  .max(100)
  .default(10)
  .meta({ description: 'Requests in flight from one worker' });

/**
 * The option `webhook_secrets`: what proves that a webhook is the vendor's. Several while one is changed for another.
 * @param what as the vendor calls it
 */
export function webhookSecrets(what: string): z.ZodType<readonly string[]> {
  const secret = z
    .string()
    .trim()
    .min(16, 'is too short to be a secret: at least 16 characters')
    .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without spaces')
    .meta({ secret: true });
  return z
    .array(secret)
    .max(5)
    .default([])
    .meta({ description: `${what}; two while one is changed for the other. None: no webhooks are received` });
}
