import { z, type ZodType } from 'zod';
import { baseUrl } from '../../core/base-url.ts';
import { concurrency, limitsScale, secretText, webhookSecrets } from '../../core/options.ts';

/** The options of a `sendry` destination, as written in `rollcall.yaml`. */
export interface SendryConfig {
  /** API key with the scope `full_access`. A secret. */
  readonly api_key: string;
  /** The audience that contacts join, by id or by name, as the recipe calls it. */
  readonly audience_id?: string | undefined;
  /** The same, as every destination calls it: one at most. */
  readonly lists: readonly string[];
  /** Origin of the API, without a trailing slash. */
  readonly base_url: string;
  /** Whose word counts where Sendry's documentation and its SDKs differ: `docs` updates by PATCH, `sdk` by PUT. */
  readonly dialect: 'docs' | 'sdk';
  /** The key that holds every attribute but the names. */
  readonly attributes_as: 'metadata' | 'properties' | 'both';
  /** The endpoint that takes many contacts: JSON, or a CSV file. */
  readonly bulk: 'import' | 'bulk-import';
  /** Contacts that must wait before they are imported together; `off` to send each by itself. Absent: 15 s of the rate limit. */
  readonly import_from?: number | 'off' | undefined;
  readonly requests_per_second: number;
  /** Whether an upsert that does not speak of `unsubscribed` leaves it as it is. */
  readonly upsert_keeps_unsubscribed: boolean;
  /** Multiplies the limits; for the sandbox, whose limits are scaled by the same number. */
  readonly limits_scale: number;
  /** Requests in flight from one worker. */
  readonly concurrency: number;
  /** What signs its webhooks (`whsec_...`). Secrets. */
  readonly webhook_secrets: readonly string[];
}

/** The audience that contacts join; `encode` needs its id: see `audiences`. */
export function audienceOf({ audience_id: id, lists }: SendryConfig): string | undefined {
  return id ?? lists[0];
}

// What no source proves has the careful choice as its default.
const options = z.strictObject({
  api_key: secretText('SENDRY_API_KEY', 'an API key with full_access', 'Sendry API key with full_access'),
  audience_id: z
    .string()
    .trim()
    .max(255)
    .nullish()
    .transform((id) => (id === null || id === undefined || id === '' ? undefined : id))
    .meta({ description: 'Audience that contacts join, by id or name' }),
  lists: z
    .array(z.string().trim().min(1).max(255))
    .max(1, 'takes one audience: Sendry has a contact join one as it is created')
    .default([])
    .meta({ description: 'The same as audience_id, as other destinations call it: one audience' }),
  base_url: baseUrl('https://api.sendry.online'),
  dialect: z
    .enum(['docs', 'sdk'])
    .default('docs')
    .meta({ description: 'How a known contact is updated: docs: PATCH; sdk: PUT' }),
  attributes_as: z
    .enum(['metadata', 'properties', 'both'])
    .default('metadata')
    .meta({ description: 'The key that holds all attributes but first_name and last_name' }),
  bulk: z
    .enum(['import', 'bulk-import'])
    .default('import')
    .meta({ description: 'What takes many contacts: import: JSON; bulk-import: a CSV file' }),
  import_from: z
    .union([z.int().min(2).max(1_000), z.literal('off')])
    .optional()
    .meta({
      description:
        'Contacts that must wait before they are imported together; off: never. Nothing is imported unless upsert_keeps_unsubscribed is true',
    }),
  requests_per_second: z
    .int()
    .min(1)
    .max(1_000)
    .default(5)
    .meta({ description: 'Requests in any second, shared by all workers; Sendry publishes no number' }),
  upsert_keeps_unsubscribed: z.boolean().default(false).meta({
    description:
      'true: an upsert leaves unsubscribed as it is, so nobody is looked up first and imports are used. false: whoever is not known is looked up first, and nothing is imported',
  }),
  limits_scale: limitsScale,
  concurrency,
  webhook_secrets: webhookSecrets('Signing secrets of its webhooks'),
});

/** Validates the options. */
export const sendryConfig: ZodType<SendryConfig> = options.refine(
  ({ audience_id: id, lists }) => id === undefined || lists.length === 0,
  { path: ['lists'], message: 'says the same as audience_id: give one of them' },
);
