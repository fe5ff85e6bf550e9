import type { IncomingHttpHeaders } from 'node:http';
import type { ApiReply } from './api-request.ts';
import { redactHeaders } from './redact-headers.ts';

/** Bodies longer than this are cut in the log (characters). */
export const LOGGED_BODY: number = 16_384;

/** One request the sandbox was sent, and what it answered. */
export interface SandboxCall {
  /** Counts from 1 and goes on when old calls are forgotten. */
  readonly n: number;
  /** Milliseconds since the epoch, by the sandbox's clock. */
  readonly at: number;
  /** The id of the destination that was called. */
  readonly destination: string;
  readonly method: string;
  /** Below the destination's own URL; with its query, as sent. */
  readonly path: string;
  /** Values of credentials are replaced by `[redacted]`. */
  readonly headers: Readonly<Record<string, string>>;
  /** At most 16,384 characters. */
  readonly body: string;
  /** 0 when the connection was dropped instead of an answer. */
  readonly status: number;
  readonly answerHeaders: Readonly<Record<string, string>>;
  /** At most 16,384 characters; of a file only its size. */
  readonly answer: string;
  /** Milliseconds from the whole request read to the answer handed over. */
  readonly ms: number;
  /** What a fault rule did to this call, or null. */
  readonly fault: string | null;
}

type ByStatus = Readonly<Record<string, number>>;

export interface SandboxCounters {
  readonly calls: number;
  readonly byStatus: ByStatus;
  readonly byMethod: Readonly<Record<string, number>>;
  readonly byDestination: Readonly<Record<string, { readonly calls: number; readonly byStatus: ByStatus }>>;
}

class LoggedCall implements SandboxCall {
  readonly n: number;
  readonly at: number;
  readonly destination: string;
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly status: number;
  readonly answer: string;
  readonly ms: number;
  readonly fault: string | null;
  readonly #headers: IncomingHttpHeaders;
  readonly #sent: Readonly<Record<string, string>> | undefined;
  readonly #common: Readonly<Record<string, string>>;

  constructor(n: number, call: NewCall) {
    this.n = n;
    this.at = call.at;
    this.destination = call.destination;
    this.method = call.method;
    this.path = call.path;
    this.body = logged(call.body);
    this.status = call.reply?.status ?? 0;
    this.answer = logged(call.reply?.body ?? '');
    this.ms = call.ms;
    this.fault = call.fault;
    this.#headers = call.headers;
    this.#sent = call.reply?.headers;
    this.#common = call.commonHeaders;
  }

  // Redacted when read, not when written: writing happens on every call, reading hardly ever.
  get headers(): Readonly<Record<string, string>> {
    return redactHeaders(this.#headers);
  }

  get answerHeaders(): Readonly<Record<string, string>> {
    return this.status === 0 ? {} : redactHeaders({ ...this.#common, ...this.#sent });
  }

  toJSON(): SandboxCall {
    const { n, at, destination, method, path, headers, body, status, answerHeaders, answer, ms, fault } = this;
    return { n, at, destination, method, path, headers, body, status, answerHeaders, answer, ms, fault };
  }
}

export interface NewCall extends Pick<SandboxCall, 'at' | 'destination' | 'method' | 'path' | 'body' | 'ms' | 'fault'> {
  readonly headers: IncomingHttpHeaders;
  /** Null when the connection was dropped instead. */
  readonly reply: ApiReply | null;
  readonly commonHeaders: Readonly<Record<string, string>>;
}

/** The last calls, and counters over all of them. */
export class CallLog {
  private readonly ring: SandboxCall[] = [];
  private readonly keep: number;
  private total = 0;
  private byStatus: Record<string, number> = {};
  private byMethod: Record<string, number> = {};
  private byDestination: Record<string, { calls: number; byStatus: Record<string, number> }> = {};

  /** @param keep how many calls are remembered */
  constructor(keep: number) {
    this.keep = Math.max(1, keep);
  }

  record(call: NewCall): SandboxCall {
    const kept = new LoggedCall(this.total + 1, call);
    this.ring[this.total % this.keep] = kept;
    this.total += 1;
    this.byStatus[kept.status] = (this.byStatus[kept.status] ?? 0) + 1;
    this.byMethod[call.method] = (this.byMethod[call.method] ?? 0) + 1;
    const own = (this.byDestination[call.destination] ??= { calls: 0, byStatus: {} });
    own.calls += 1;
    own.byStatus[kept.status] = (own.byStatus[kept.status] ?? 0) + 1;
    return kept;
  }

  /** The remembered calls, oldest first; at most the last `count`. */
  last(count: number = this.keep): SandboxCall[] {
    const kept = Math.min(this.total, this.keep, Math.max(0, count));
    return Array.from({ length: kept }, (_, index) => this.ring[(this.total - kept + index) % this.keep]!);
  }

  /** One remembered call. */
  find(n: number): SandboxCall | undefined {
    if (!(n > this.total - this.keep && n >= 1 && n <= this.total)) return undefined;
    return this.ring[(n - 1) % this.keep];
  }

  counters(): SandboxCounters {
    return {
      calls: this.total,
      byStatus: { ...this.byStatus },
      byMethod: { ...this.byMethod },
      byDestination: structuredClone(this.byDestination),
    };
  }

  clear(): void {
    this.ring.length = 0;
    this.total = 0;
    this.byStatus = {};
    this.byMethod = {};
    this.byDestination = {};
  }
}

/** A body as the log keeps it. A slice would keep the whole of a large one in memory behind it. */
function logged(body: string | Uint8Array): string {
  if (typeof body !== 'string') return `(${body.byteLength} bytes)`;
  return body.length > LOGGED_BODY ? Buffer.from(body.slice(0, LOGGED_BODY), 'utf16le').toString('utf16le') : body;
}
