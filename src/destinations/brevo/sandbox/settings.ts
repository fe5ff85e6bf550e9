import * as z from 'zod';

/** Settings that only this stand-in knows. */
export interface BrevoSettings {
  /** How long a contact is at work after a write: another one within that time is answered with 425. */
  readonly processingMs: number;
  /** What a new address does to the opt-out of its own request: nothing, or it lifts that too. Brevo does not say. */
  readonly newAddressLifts: 'old_block' | 'any_block';
  /** Whether an import stores `false`; it has been seen not to (APIv3-python-library, issue 95). */
  readonly importsFalse: boolean;
}

/** Reads `StandInOptions.settings`. */
export const brevoSettings: z.ZodType<BrevoSettings> = z.strictObject({
  processingMs: z.number().min(0).default(0),
  newAddressLifts: z.enum(['old_block', 'any_block']).default('old_block'),
  importsFalse: z.boolean().default(false),
});
