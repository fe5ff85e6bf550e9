import { z, type ZodType } from 'zod';
import { baseUrl } from '../../core/base-url.ts';
import type { SegmentLists } from '../../core/segments.ts';
import { concurrency, limitsScale, secretText, webhookSecrets } from '../../core/options.ts';

/** The options of a `mailtrap` destination, as written in `rollcall.yaml`. */
export interface MailtrapConfig {
  /** API token. A secret. */
  readonly api_token: string;
  /** Present: paths with the account in them, as older tokens and SDKs use. Absent: the account follows from the token. */
  readonly account_id?: string | undefined;
  /** Origin of the API, without a trailing slash. */
  readonly base_url: string;
  /** Lists that contacts join, by id or by name. `encode` needs ids: see `resolveLists`. */
  readonly lists: readonly (number | string)[];
  /** `once`: a contact joins with its first delivery. `keep`: with each one, so that a person taken out comes back. */
  readonly list_policy: 'once' | 'keep';
  /** Those of segments; no option of the file. `encode` needs ids, as of `lists`. */
  readonly segment_lists?: SegmentLists | undefined;
  readonly requests_per_minute: number;
  /** Multiplies the vendor's limits; for the sandbox, whose limits are scaled by the same number. */
  readonly limits_scale: number;
  /** Requests in flight from one worker. */
  readonly concurrency: number;
  /** What is sent to clear a field. */
  readonly clear_as: null | 'empty';
  /** Contacts that must wait before they are imported together; `off` to send each by itself. Absent: 15 s of the rate limit. */
  readonly import_from?: number | 'off' | undefined;
  /** What signs its webhooks, as Mailtrap tells when one is made. Secrets. */
  readonly webhook_secrets: readonly string[];
}

/** Validates the options; each default is the vendor's published limit or the careful choice. */
export const mailtrapConfig: ZodType<MailtrapConfig> = z.strictObject({
  api_token: secretText('MAILTRAP_TOKEN', 'an API token', 'Mailtrap API token'),
  account_id: z
    .union([z.int().positive(), z.string().trim().regex(/^\d*$/, 'must be a number')])
    .nullish()
    .transform((id) => (id === null || id === undefined || id === '' ? undefined : String(id)))
    .meta({ description: 'Account id; leave out unless your token needs it in the path' }),
  base_url: baseUrl('https://mailtrap.io'),
  lists: z
    .array(z.union([z.int().positive(), z.string().trim().min(1).max(255)]))
    .max(50)
    .default([])
    .meta({ description: 'Lists that contacts join, by id or name' }),
  list_policy: z
    .enum(['once', 'keep'])
    .default('once')
    .meta({ description: 'once: join with the first delivery; keep: with every delivery' }),
  requests_per_minute: z
    .int()
    .min(1)
    .max(100_000)
    .default(200)
    .meta({ description: 'Requests in any 60 s, shared by all workers' }),
  limits_scale: limitsScale,
  concurrency,
  clear_as: z
    .union([z.null(), z.literal('empty')])
    .default(null)
    .meta({ description: 'What clears a field: null, or an empty text' }),
  import_from: z
    .union([z.int().min(2).max(50_000), z.literal('off')])
    .optional()
    .meta({ description: 'Contacts that must wait before they are imported together; off: never' }),
  webhook_secrets: webhookSecrets('Signing secrets of its webhooks'),
});
