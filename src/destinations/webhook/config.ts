import { z, type ZodType } from 'zod';
import { isLoopbackHost } from '../../core/loopback.ts';
import { concurrency, limitsScale } from '../../core/options.ts';
import { secretProblem } from './secret.ts';

/** The options of a `webhook` destination, as written in `rollcall.yaml`. */
export interface WebhookConfig {
  /** Where messages are posted to. */
  readonly url: string;
  /** Signs every message. A secret. */
  readonly secret: string;
  /** Signs every message too, while a receiver changes its secret. A secret. */
  readonly previous_secret?: string | undefined;
  /** Whether the receiver may be in a private network. */
  readonly allow_private: boolean;
  readonly requests_per_second: number;
  /** Multiplies the limits; for the sandbox. */
  readonly limits_scale: number;
  /** Requests in flight from one worker. */
  readonly concurrency: number;
  /** Most bytes of a message. */
  readonly max_bytes: number;
}

/** What is wrong with a text as the receiver's URL, or undefined. */
function urlProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is not a URL; write for example https://app.example.com/hooks/rollcall';
  const url = new URL(text);
  if (url.username !== '' || url.password !== '')
    return 'must not hold a user name or password: the signature says who sends';
  // What stands behind a ? is written to the logs of every proxy, and is where keys are put.
  if (/[?#]/.test(text)) return 'must not hold ? or #: tell receivers apart by path, the signature says who sends';
  if (url.protocol === 'https:') return undefined;
  if (url.protocol !== 'http:') return 'must start with https://';
  // Every message holds personal data; its signature hides nothing.
  return isLoopbackHost(url.hostname) ? undefined : 'must start with https:// (http:// only to this machine)';
}

function checked(problemOf: (text: string) => string | undefined): ZodType<string> {
  return z
    .string()
    .trim()
    .superRefine((text, context) => {
      const problem = problemOf(text);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    });
}

/** Validates the options; each default is the careful choice, or what the spec suggests. */
export const webhookConfig: ZodType<WebhookConfig> = z.strictObject({
  url: checked(urlProblem)
    .transform((text) => (URL.canParse(text) ? new URL(text).href : text))
    .meta({ description: 'Where messages are posted to: https, with any path' }),
  secret: checked((text) =>
    text === '' ? 'is empty: set WEBHOOK_SECRET to a signing secret' : secretProblem(text),
  ).meta({ secret: true, description: 'Signs every message: whsec_ and the base64 of 24 to 64 bytes' }),
  previous_secret: checked((text) => (text === '' ? undefined : secretProblem(text)))
    .nullish()
    .transform((text) => (text === null || text === '' ? undefined : text))
    .meta({ secret: true, description: 'Signs every message too, while the receiver changes to `secret`' }),
  allow_private: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether the receiver may be in a private network; never link-local or metadata addresses' }),
  requests_per_second: z
    .int()
    .min(1)
    .max(10_000)
    .default(10)
    .meta({ description: 'Messages in any second, shared by all workers' }),
  limits_scale: limitsScale,
  concurrency,
  max_bytes: z
    .int()
    .min(1_000)
    .max(1_000_000)
    .default(20_000)
    .meta({ description: 'Most bytes of a message; a larger one is a dead letter' }),
});
