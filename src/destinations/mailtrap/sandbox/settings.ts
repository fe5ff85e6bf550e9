import * as z from 'zod';
import type { ErrorStyle } from './replies.ts';

/** Settings that only this stand-in knows. */
export interface MailtrapSettings {
  /** The only account the older path style may name; others get 403. Any account when absent. */
  readonly accountId?: string | undefined;
  /** The plan's limit on contacts. */
  readonly maxContacts: number;
  /** Whether 422 bodies look as the spec's schema says (`flat`) or as its examples do (`nested`). */
  readonly errorStyle: ErrorStyle;
  /** How a receiver of webhooks has chosen to get its events. */
  readonly webhookFormat: 'json' | 'jsonlines';
}

/** Reads `StandInOptions.settings`. */
export const mailtrapSettings: z.ZodType<MailtrapSettings> = z.strictObject({
  accountId: z.string().optional(),
  maxContacts: z.int().min(0).default(2_000_000),
  errorStyle: z.enum(['flat', 'nested']).default('flat'),
  webhookFormat: z.enum(['json', 'jsonlines']).default('json'),
});
