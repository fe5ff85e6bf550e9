import { type AlertMessage, alertRequest } from '../core/alert-message.ts';
import { type Alert, type AlertLimits, alertsOf } from '../core/alerts.ts';
import type { Auth } from '../core/destination.ts';
import type { Gauges } from '../core/gauges.ts';
import { DEFAULT_RETRY, retryDelayMs, type RetrySchedule } from '../core/retry.ts';
import { retryAfterMs } from '../core/retry-after.ts';
import type { Logger, Send, SendResult } from './ports.ts';
import { createTrouble } from './trouble.ts';
import { pause } from './wake.ts';

/** A message that this worker is to send now. */
export interface TakenAlert extends Omit<AlertMessage, 'environment'> {
  /** Attempts, this one included. */
  readonly tries: number;
}

/** What is wrong and who was told, behind a port; safe beside other workers. */
export interface AlertStore {
  /** Whether nobody else has looked for `everyMs`: to look costs something while much is waiting. */
  myTurn(everyMs: number): Promise<boolean>;
  gauges(): Promise<Gauges>;
  /** Notes what is wrong now; what nobody has seen for `quietMs` has ended. */
  note(alerts: readonly Alert[], quietMs: number): Promise<void>;
  /** The next messages; no other worker takes them for `holdMs`. */
  take(holdMs: number, limit: number): Promise<readonly TakenAlert[]>;
  told(message: TakenAlert): Promise<void>;
  untold(message: TakenAlert, waitMs: number): Promise<void>;
}

/** A receiver of alerts. */
export interface AlertReceiver {
  readonly url: string;
  readonly auth: Auth;
}

export interface AlertLoopOptions {
  readonly store: AlertStore;
  readonly send: Send;
  readonly receiver: AlertReceiver;
  readonly limits: AlertLimits;
  readonly environment: string;
  readonly log: Logger;
  readonly everyMs: number;
  readonly random: () => number;
  readonly isFatal: (error: unknown) => boolean;
}

/** Longest that one message may take. A receiver answers at once, and does its work afterwards. */
const DEADLINE_MS = 10_000;
const AT_ONCE = 4;
/** No other worker sends them before all of ours have had their time. */
const HOLD_MS = 60_000;
/** What comes and goes is told once: it has ended when it was not seen in so many looks. */
const QUIET_LOOKS = 3;
const SCHEDULE: RetrySchedule = { ...DEFAULT_RETRY, firstMs: 5_000, longestMs: 900_000 };
const GONE = 410;

/**
 * Looks at how things stand until the signal aborts, and tells the receiver what is wrong: once when it begins and once when it has
 * ended, whichever worker comes first. Delivery knows nothing of it; what fails here is logged and tried again.
 */
export async function runAlerts(options: AlertLoopOptions, signal: AbortSignal): Promise<void> {
  const { store, limits, everyMs, log } = options;
  const trouble = createTrouble(log, {}, 'look for what somebody must be told');
  while (!signal.aborted) {
    try {
      if (await store.myTurn(everyMs)) await store.note(alertsOf(await store.gauges(), limits), everyMs * QUIET_LOOKS);
      for (const message of await store.take(HOLD_MS, AT_ONCE)) await tell(options, message, signal);
      trouble.worked();
    } catch (error) {
      // The engine has met it too, and ends the worker.
      if (options.isFatal(error)) return;
      trouble.failed(error);
    }
    await pause(everyMs, signal);
  }
}

async function tell(options: AlertLoopOptions, message: TakenAlert, signal: AbortSignal): Promise<void> {
  const { store, log, random, environment } = options;
  const { kind: alert, subject, tries } = message;
  const result = await sendAlert(options.send, options.receiver, { ...message, environment }, signal);
  const refusal = refusalOf(result);
  if (refusal === undefined) {
    await store.told(message);
    log.info({ alert, subject, over: message.endedAt !== null }, 'somebody was told');
    return;
  }
  const waitMs =
    refusal.status === GONE
      ? SCHEDULE.retryAfterMostMs
      : retryDelayMs(SCHEDULE, { tries, random: random(), retryAfterMs: refusal.retryAfterMs });
  await store.untold(message, waitMs);
  log.warn({ alert, subject, tries, code: refusal.code }, 'an alert could not be told; will try again');
}

/** Sends one message to its receiver. */
export async function sendAlert(
  send: Send,
  { url, auth }: AlertReceiver,
  message: AlertMessage,
  signal?: AbortSignal,
): Promise<SendResult> {
  return await send(alertRequest(message, url), auth, { deadlineMs: DEADLINE_MS, signal });
}

/** Why a message was not accepted; undefined when it was. */
export function refusalOf(
  result: SendResult,
): { readonly code: string; readonly status?: number; readonly retryAfterMs?: number | undefined } | undefined {
  if (!result.answered) return { code: result.outcome.kind === 'delivered' ? 'no_answer' : result.outcome.code };
  const { status, headers } = result.response;
  if (status >= 200 && status < 300) return undefined;
  return { code: `http_${status}`, status, retryAfterMs: retryAfterMs(headers) };
}
