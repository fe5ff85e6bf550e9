import * as z from 'zod';
import { isLoopbackHost } from './loopback.ts';

/** What is wrong with a text as the base URL, or undefined. */
function problemOf(text: string, example: string): string | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return `is not a URL; write for example ${example}`;
  }
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or password';
  if (/[?#]/.test(text)) return `must not hold ? or #; write for example ${example}`;
  if (url.protocol === 'https:') return undefined;
  if (url.protocol !== 'http:') return 'must start with https://';
  // The token travels with every request.
  return isLoopbackHost(url.hostname) ? undefined : 'must start with https:// (http:// only to this machine)';
}

/** The option `base_url`: https, or http to this machine; without a slash at its end. */
export function baseUrl(standard: string): z.ZodType<string> {
  return z
    .string()
    .trim()
    .superRefine((text, context) => {
      const problem = problemOf(text, standard);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    })
    .transform((text) => {
      if (problemOf(text, standard) !== undefined) return text;
      const { origin, pathname } = new URL(text);
      return origin + pathname.replace(/\/+$/, '');
    })
    .default(standard)
    .meta({ description: 'Where the API is' });
}
