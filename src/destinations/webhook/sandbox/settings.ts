import * as z from 'zod';

/** Settings that only this stand-in knows. */
export interface WebhookSettings {
  /** Wants no more: everything is answered with 410. */
  readonly gone: boolean;
  /** Messages it takes in a second, before the limits are scaled. */
  readonly requestsPerSecond: number;
  /** Most bytes of a message. */
  readonly maxBytes: number;
  /** How old a message may be, in ms: five minutes in the libraries of the spec. */
  readonly toleranceMs: number;
}

/** Reads `StandInOptions.settings`. */
export const webhookSettings: z.ZodType<WebhookSettings> = z.strictObject({
  gone: z.boolean().default(false),
  requestsPerSecond: z.int().min(1).default(10),
  maxBytes: z.int().min(1).default(20_480),
  toleranceMs: z.int().min(0).default(300_000),
});
