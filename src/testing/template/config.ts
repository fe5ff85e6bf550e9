import { z, type ZodType } from 'zod';
import { baseUrl } from '../../core/base-url.ts';
import { concurrency, limitsScale, secretText } from '../../core/options.ts';

/** The options of an `acme` destination, as written in `rollcall.yaml`. */
export interface Options {
  /** A secret. */
  readonly api_key: string;
  /** Origin of the API, without a trailing slash. */
  readonly base_url: string;
  /** Multiplies the vendor's limits; for the sandbox, whose limits are scaled by the same number. */
  readonly limits_scale: number;
  /** Requests in flight from one worker. */
  readonly concurrency: number;
}

/** Validates the options; each default is the vendor's published limit or the careful choice. */
export const options: ZodType<Options> = z.strictObject({
  api_key: secretText('ACME_API_KEY', 'an API key', 'Acme API key'),
  base_url: baseUrl('https://api.acme.example'),
  limits_scale: limitsScale,
  concurrency,
});
