import { DEFAULT_RETRY, type RetrySchedule } from '../core/retry.ts';
import { asMap, checkKeys, readChoice, readDuration, showText, wrongType } from './fields.ts';
import type { Issues } from './issues.ts';
import { quote } from './quote.ts';
import { type Entry, formatPath, isNothing, type MapNode } from './tree.ts';
import type { Config } from './types.ts';

/** The keys of `delivery`. */
export const DELIVERY_KEYS: readonly string[] = ['grace', 'events', 'retry'];
/** The keys of `delivery.retry`. */
export const RETRY_KEYS: readonly string[] = ['first', 'factor', 'longest', 'window', 'retry_after_most'];
/** What `delivery.events` can say. */
export const EVENT_POLICIES: readonly Config['delivery']['events'][] = ['at_least_once', 'at_most_once'];
/** The least and the most that `delivery.retry.factor` can be. */
export const FACTORS: readonly [least: number, most: number] = [1, 100];
const DEFAULT_GRACE_MS = 120_000;

/** Reads `delivery:`. Whatever is not said has its default. */
export function readDelivery(entry: Entry | undefined, issues: Issues): Config['delivery'] {
  const map = asMap(entry?.value, issues);
  if (map !== undefined) checkKeys(map, DELIVERY_KEYS, issues);
  return {
    graceMs: readDuration(map?.entries.get('grace'), DEFAULT_GRACE_MS, issues),
    events: readChoice(map?.entries.get('events'), EVENT_POLICIES, issues) ?? 'at_least_once',
    retry: readRetry(map?.entries.get('retry'), issues),
  };
}

function readRetry(entry: Entry | undefined, issues: Issues): RetrySchedule {
  const map = asMap(entry?.value, issues, `a map with ${RETRY_KEYS.join(', ')}`);
  if (map === undefined) return DEFAULT_RETRY;
  checkKeys(map, RETRY_KEYS, issues);
  const time = (key: string, fallback: number): number => readDuration(map.entries.get(key), fallback, issues);
  const schedule = {
    firstMs: time('first', DEFAULT_RETRY.firstMs),
    factor: readFactor(map.entries.get('factor'), issues),
    longestMs: time('longest', DEFAULT_RETRY.longestMs),
    windowMs: time('window', DEFAULT_RETRY.windowMs),
    retryAfterMostMs: time('retry_after_most', DEFAULT_RETRY.retryAfterMostMs),
  };
  if (schedule.firstMs > schedule.longestMs) tooLong(map, issues);
  return schedule;
}

function readFactor(entry: Entry | undefined, issues: Issues): number {
  if (entry === undefined || isNothing(entry.value)) return DEFAULT_RETRY.factor;
  const node = entry.value;
  const [least, most] = FACTORS;
  const written = node.kind === 'scalar' ? node.value : undefined;
  const fromEnv = node.kind === 'scalar' && node.fromEnv && /^\d{1,3}(\.\d{1,6})?$/.test(String(written));
  const factor = fromEnv ? Number(written) : written;
  if (typeof factor !== 'number') {
    wrongType(node, 'a number', issues);
    return DEFAULT_RETRY.factor;
  }
  if (factor >= least && factor <= most) return factor;
  const message = `${quote(formatPath(entry.path))} can't be ${showText(String(factor), node)}`;
  issues.error('RC_CONFIG_VALUE', message, node, `A number from ${least} to ${most}.`);
  return DEFAULT_RETRY.factor;
}

/** Said of what was written: the other may be a default. */
function tooLong(map: MapNode, issues: Issues): void {
  const spot = map.entries.get('longest')?.value ?? map.entries.get('first')?.value ?? map;
  const message = 'the first wait of "delivery.retry" is longer than the longest';
  issues.error('RC_CONFIG_VALUE', message, spot, 'Say both: for example first: 10m, longest: 1h.');
}
