import { type Dispatcher, request } from 'undici';
import { NET_VERSION } from './net.ts';

/** A row of `net.http_request_queue`. */
export interface QueuedRequest {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, unknown>> | null;
  readonly body: Buffer | null;
  readonly timeout_milliseconds: number;
}

/** A row of `net._http_response`, but for its time. */
export interface RecordedAnswer {
  readonly id: string;
  readonly status_code: number | null;
  readonly content_type: string | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly content: string | null;
  readonly timed_out: boolean;
  readonly error_msg: string | null;
}

/** curl's words for what goes wrong with a connection. */
const ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "Couldn't connect to server",
  ENOTFOUND: "Couldn't resolve host name",
  EAI_AGAIN: "Couldn't resolve host name",
  UND_ERR_SOCKET: 'Server returned nothing (no headers, no data)',
};

/** More are an error, in the curl of today. */
const MAX_REDIRECTS = 30;

/** Sends one request as pg_net's curl does, and says what pg_net would record of it. Never throws. */
export async function exchange(
  row: QueuedRequest,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<RecordedAnswer> {
  const deadline = AbortSignal.timeout(row.timeout_milliseconds);
  const started = performance.now();
  try {
    return {
      ...(await follow(row, dispatcher, AbortSignal.any([deadline, signal]))),
      id: row.id,
      timed_out: false,
      error_msg: null,
    };
  } catch (error) {
    const total = (performance.now() - started).toFixed(6);
    const message = deadline.aborted
      ? `Timeout of ${row.timeout_milliseconds} ms reached. Total time: ${total} ms (DNS time: 0.000000 ms, TCP/SSL handshake time: 0.000000 ms, HTTP Request/Response time: ${total} ms)`
      : (ERRORS[(error as { code?: string }).code ?? ''] ?? (error as Error).message);
    return {
      id: row.id,
      status_code: null,
      content_type: null,
      headers: null,
      content: null,
      timed_out: deadline.aborted,
      error_msg: message,
    };
  }
}

type Answer = Pick<RecordedAnswer, 'status_code' | 'content_type' | 'headers' | 'content'>;

/** Redirects are followed, and a POST that meets 301, 302 or 303 goes on as a GET without its body: only the last answer is recorded. */
async function follow(row: QueuedRequest, dispatcher: Dispatcher, signal: AbortSignal): Promise<Answer> {
  let { url, body } = row;
  let method = row.method.toUpperCase();
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const response = await request(url, {
      method,
      headers: headersOf(row, body),
      body,
      dispatcher,
      signal,
      responseHeaders: 'raw',
    });
    const text = await response.body.text();
    const headers = pairs(response.headers as unknown as readonly string[]);
    const location = find(headers, 'location');
    if (location === undefined || response.statusCode < 300 || response.statusCode > 399) {
      return {
        status_code: response.statusCode,
        content_type: find(headers, 'content-type') ?? null,
        headers,
        content: text === '' ? null : text.split('\0')[0]!,
      };
    }
    url = new URL(location, url).toString();
    if (method === 'POST' && response.statusCode <= 303) {
      method = 'GET';
      body = null;
    }
  }
  throw new Error('Number of redirects hit maximum amount');
}

/** `headers` that are null lose the user agent too, and leave curl's own content type. */
function headersOf(row: QueuedRequest, body: Buffer | null): Record<string, string> {
  const own = Object.entries(row.headers ?? {}).filter(([, value]) => value !== null);
  const headers: Record<string, string> = { accept: '*/*' };
  if (body !== null && row.headers === null) headers['content-type'] = 'application/x-www-form-urlencoded';
  for (const [name, value] of own)
    headers[name.toLowerCase()] = typeof value === 'string' ? value : JSON.stringify(value);
  if (row.headers !== null) headers['user-agent'] ??= `pg_net/${NET_VERSION}`;
  return headers;
}

/** Names keep the server's case, as jsonb keeps them: whoever looks one up must not mind it. */
function pairs(raw: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < raw.length; i += 2) headers[raw[i]!] = raw[i + 1]!;
  return headers;
}

function find(headers: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
}
