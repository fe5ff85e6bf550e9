import { z, type ZodType } from 'zod';
import { baseUrl } from '../../core/base-url.ts';
import { isLoopbackHost } from '../../core/loopback.ts';
import type { SegmentLists } from '../../core/segments.ts';
import { concurrency, limitsScale, secretText, webhookSecrets } from '../../core/options.ts';

/** The options of a `brevo` destination, as written in `rollcall.yaml`. */
export interface BrevoConfig {
  /** API key (`xkeysib-...`). A secret. */
  readonly api_key: string;
  /** The API with its version, without a trailing slash. */
  readonly base_url: string;
  /** The plan of API limits that the account has. */
  readonly plan: 'general' | 'advanced' | 'extended';
  /** Lists that contacts join, by id or by name. `encode` needs ids: see `ListPlan.resolve`. */
  readonly lists: readonly (number | string)[];
  /** `once`: a contact joins with its first delivery. `keep`: with each one, so that a person taken out comes back. */
  readonly list_policy: 'once' | 'keep';
  /** Those of segments; no option of the file. `encode` needs ids, as of `lists`. */
  readonly segment_lists?: SegmentLists | undefined;
  /** The folder of lists that are created. */
  readonly folder: number;
  /** Contacts that must wait before they are imported together; `off` to send each by itself. Absent: 15 s of the rate limit. */
  readonly import_from?: number | 'off' | undefined;
  /** The list that an import names where `lists` is empty: Brevo imports into a list only. */
  readonly import_list?: number | string | undefined;
  /**
   * How contacts that are there are updated when many wait: `import`, with those that are new, or `batch`, which needs no list; new ones
   * go one by one then.
   */
  readonly update_by: 'import' | 'batch';
  /** Called by Brevo when an import has ended: a URL of the worker with a secret path. A secret. */
  readonly notify_url?: string | undefined;
  /** Whether an opt-out is also one from SMS, where a phone number is mapped. */
  readonly sms: 'on' | 'off';
  /** What is sent to clear an attribute. */
  readonly clear_as: 'empty' | null;
  /** Multiplies the vendor's limits; for the sandbox, whose limits are scaled by the same number. */
  readonly limits_scale: number;
  /** Requests in flight from one worker. */
  readonly concurrency: number;
  /** Tokens of ours that its webhooks carry, as it signs nothing. Secrets. */
  readonly webhook_secrets: readonly string[];
}

const list = z.union([z.int().positive(), z.string().trim().min(1).max(255)]);

function isReachable(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname));
}

const notifyUrl = z
  .string()
  .trim()
  .refine(isReachable, 'must be an https:// URL of the worker (http:// only to this machine)')
  .refine((text) => !URL.canParse(text) || new URL(text).pathname.length > 16, 'must have a long secret path');

/**
 * Validates the options; each default is the vendor's published limit or the careful choice.
 * @param variable the environment variable that the key usually comes from
 */
export function brevoConfig(name: string, variable: string): ZodType<BrevoConfig> {
  return z.strictObject({
    api_key: secretText(variable, 'an API key', `${name} API key`),
    base_url: baseUrl('https://api.brevo.com/v3'),
    plan: z
      .enum(['general', 'advanced', 'extended'])
      .default('general')
      .meta({ description: 'The plan of API limits: 10, 20 or 60 requests a second' }),
    lists: z.array(list).max(50).default([]).meta({ description: 'Lists that contacts join, by id or name' }),
    list_policy: z
      .enum(['once', 'keep'])
      .default('once')
      .meta({ description: 'once: join with the first delivery; keep: with every delivery' }),
    folder: z.int().positive().default(1).meta({ description: 'Id of the folder in which lists are created' }),
    import_from: z
      .union([z.int().min(2).max(50_000), z.literal('off')])
      .optional()
      .meta({ description: 'Contacts that must wait before they are imported together; off: never' }),
    import_list: list.optional().meta({ description: 'List that imports name where lists is empty, by id or name' }),
    update_by: z.enum(['import', 'batch']).default('import').meta({
      description:
        'How many waiting updates go together; batch: by POST /contacts/batch, which does not tell who is gone',
    }),
    notify_url: notifyUrl.optional().meta({
      secret: true,
      description: 'URL of the worker that is called when an import has ended',
      examples: ['https://worker.example/jobs/a-long-secret-path'],
    }),
    sms: z
      .enum(['on', 'off'])
      .default('on')
      .meta({ description: 'on: an opt-out is also one from SMS, where a phone number is mapped' }),
    clear_as: z
      .union([z.null(), z.literal('empty')])
      .default('empty')
      .meta({ description: 'What clears an attribute: an empty text, or null' }),
    limits_scale: limitsScale,
    concurrency,
    webhook_secrets: webhookSecrets('Tokens that its webhooks carry, made up by you'),
  });
}
