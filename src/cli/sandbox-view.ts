import { stringify } from 'yaml';
import type { Destination } from '../core/destination.ts';
import type { JsonObject } from '../core/json.ts';
import type { Limits } from '../core/limits.ts';
import type { SandboxDestination } from '../sandbox/served.ts';
import type { Paint } from './paint.ts';

/** A destination of a running sandbox, as it is told of. */
export interface ServedView {
  readonly id: string;
  readonly url: string;
  /** The key it accepts, or what stands for one that was given and is not repeated. */
  readonly token: string;
  /** The vendor's limits, times the scale, in words. */
  readonly limits: string;
  /** Its entry under `destinations`. */
  readonly options: JsonObject;
}

/**
 * What to say of a destination of the sandbox.
 * @param hidden the variable that stands for a key given by the user; undefined when the key is the sandbox's own
 */
export function servedView(
  { id, url, token }: SandboxDestination,
  destination: Destination<unknown> | undefined,
  limitsScale: number,
  hidden: string | undefined,
): ServedView {
  const parsed = destination?.config.safeParse(destination.standIn(url, token));
  const shown = destination?.standIn(url, hidden ?? token) ?? {};
  const scaled = { ...shown, limits_scale: limitsScale };
  const takesScale = limitsScale !== 1 && destination?.config.safeParse(scaled).success === true;
  return {
    id,
    url,
    token: hidden === undefined ? token : 'as given with --token',
    limits: parsed?.success === true ? limitsText(destination!.limits(parsed.data), limitsScale) : '',
    options: takesScale ? scaled : shown,
  };
}

/** By the names of what they count: `contacts 200 / 60 s, api 150 / 10 s`. */
function limitsText({ buckets }: Limits, scale: number): string {
  const texts = buckets.map(
    ({ name, requests, perMs }) =>
      `${name} ${Math.floor(requests * scale).toLocaleString('en-US')} / ${perMs / 1000} s`,
  );
  return texts.length === 0 ? 'none' : texts.join(', ');
}

/** The destinations with their addresses, keys and limits, and what to write into the config. */
export function renderServed(views: readonly ServedView[], limitsScale: number, paint: Paint): readonly string[] {
  const options = Object.fromEntries(views.map(({ id, options }) => [id, options]));
  const yaml = stringify({ destinations: options }, { lineWidth: 0 }).trimEnd();
  const scaled = limitsScale === 1 ? '' : ` (${limitsScale} times the real ones)`;
  return [
    ...views.flatMap(({ id, url, token, limits }) => [
      paint('bold', id),
      `  url     ${url}`,
      `  token   ${token}`,
      `  limits  ${limits}${scaled}`,
    ]),
    '',
    'With `environment: development` in rollcall.yaml nothing needs to be written:',
    'destinations are sent here. In any other environment:',
    '',
    ...yaml.split('\n').map((line) => `  ${line}`),
  ];
}
