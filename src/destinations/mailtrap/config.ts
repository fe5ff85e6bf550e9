import { z, type ZodType } from 'zod';
import { isLoopbackHost } from '../../core/loopback.ts';

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
  readonly requests_per_minute: number;
  /** Multiplies the vendor's limits; for the sandbox, whose limits are scaled by the same number. */
  readonly limits_scale: number;
  /** Requests in flight from one worker. */
  readonly concurrency: number;
  /** What is sent to clear a field. */
  readonly clear_as: null | 'empty';
  /** Whether `apply` creates the fields that are missing. */
  readonly create_fields: boolean;
  /** Contacts that must wait before they are imported together; `off` to send each by itself. Absent: 15 s of the rate limit. */
  readonly import_from?: number | 'off' | undefined;
}

/** Why a text can't be the base URL, or undefined. */
function baseUrlProblem(text: string): string | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return 'is not a URL; write for example https://mailtrap.io';
  }
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or password';
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || /[?#]/.test(text)) {
    return 'must be an origin without a path, for example https://mailtrap.io';
  }
  if (url.protocol === 'https:') return undefined;
  if (url.protocol !== 'http:') return 'must start with https://';
  // The token travels with every request.
  return isLoopbackHost(url.hostname) ? undefined : 'must start with https:// (http:// only to this machine)';
}

/** Validates the options; each default is the vendor's published limit or the careful choice. */
export const mailtrapConfig: ZodType<MailtrapConfig> = z.strictObject({
  api_token: z
    .string()
    .trim()
    .min(1, 'is empty: set MAILTRAP_TOKEN to an API token')
    .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without spaces')
    .meta({ secret: true, description: 'Mailtrap API token' }),
  account_id: z
    .union([z.int().positive(), z.string().trim().regex(/^\d*$/, 'must be a number')])
    .nullish()
    .transform((id) => (id === null || id === undefined || id === '' ? undefined : String(id)))
    .meta({ description: 'Account id; leave out unless your token needs it in the path' }),
  base_url: z
    .string()
    .trim()
    .superRefine((text, context) => {
      const problem = baseUrlProblem(text);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    })
    .transform((text) => (baseUrlProblem(text) === undefined ? new URL(text).origin : text))
    .default('https://mailtrap.io')
    .meta({ description: 'Origin of the API' }),
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
  limits_scale: z
    .number()
    .min(1)
    .max(10_000)
    .default(1)
    .meta({ description: 'Multiplies the limits; for the sandbox' }),
  concurrency: z.int().min(1).max(100).default(10).meta({ description: 'Requests in flight from one worker' }),
  clear_as: z
    .union([z.null(), z.literal('empty')])
    .default(null)
    .meta({ description: 'What clears a field: null, or an empty text' }),
  create_fields: z.boolean().default(true).meta({ description: 'Whether apply creates missing fields' }),
  import_from: z
    .union([z.int().min(2).max(50_000), z.literal('off')])
    .optional()
    .meta({ description: 'Contacts that must wait before they are imported together; off: never' }),
});
