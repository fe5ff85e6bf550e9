import { RollcallError } from '../core/errors.ts';
import { isLoopbackHost } from '../core/loopback.ts';
import type { OutgoingWebhook } from './stand-in.ts';

/** The longest wait for an answer: Mailtrap gives a receiver 30 s, the longest of those documented. */
const ANSWER_MS = 30_000;

/** What came of one request to a receiver. */
export interface WebhookResult {
  /** 0 when there was no answer. */
  readonly status: number;
  /** Whether the vendor would count it as received. */
  readonly acknowledged: boolean;
  readonly event_ids: readonly string[];
}

/**
 * Sends requests one after another. No redirect is followed.
 * @throws RollcallError `RC_SANDBOX_WEBHOOK_URL` when the URL is not on this machine
 */
export async function sendWebhooks(url: string, requests: readonly OutgoingWebhook[]): Promise<WebhookResult[]> {
  if (!isLoopbackUrl(url)) {
    throw new RollcallError('RC_SANDBOX_WEBHOOK_URL', 'The sandbox sends webhooks to this machine only.', {
      hint: 'Use an http URL with 127.0.0.1 or localhost.',
    });
  }
  const results: WebhookResult[] = [];
  for (const request of requests) {
    const status = await post(url, request);
    const acknowledged = request.acknowledgedBy?.includes(status) ?? (status >= 200 && status < 300);
    results.push({ status, acknowledged, event_ids: request.eventIds ?? [] });
  }
  return results;
}

/** Whether a text is an http URL of this machine. */
export function isLoopbackUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.protocol === 'http:' && isLoopbackHost(url.hostname);
}

async function post(url: string, request: OutgoingWebhook): Promise<number> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: request.headers,
      body: request.body,
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    await answer.body?.cancel();
    return answer.status;
  } catch {
    return 0;
  }
}
