import type { IncomingHttpHeaders } from 'node:http';
import { redactHeaders } from './redact-headers.ts';

/** Bodies longer than this are cut in the log (characters). */
export const LOGGED_BODY: number = 16_384;

/** One request the sandbox was sent, and what it answered. */
export interface SandboxCall {
  /** Counts from 1 and goes on when old calls are forgotten. */
  readonly n: number;
  /** Milliseconds since the epoch, by the sandbox's clock. */
  readonly at: number;
  readonly method: string;
  /** With its query, as sent. */
  readonly path: string;
  /** Values of credentials are replaced by `[redacted]`. */
  readonly headers: Readonly<Record<string, string>>;
  /** At most 16,384 characters. */
  readonly body: string;
  /** 0 when the connection was dropped instead of an answer. */
  readonly status: number;
  /** Milliseconds from the whole request read to the answer handed over. */
  readonly ms: number;
  /** What a fault rule did to this call, or null. */
  readonly fault: string | null;
}

export interface SandboxCounters {
  readonly calls: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly byMethod: Readonly<Record<string, number>>;
}

class LoggedCall implements SandboxCall {
  readonly n: number;
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly status: number;
  readonly ms: number;
  readonly fault: string | null;
  readonly #headers: IncomingHttpHeaders;

  constructor(n: number, call: NewCall) {
    this.n = n;
    this.at = call.at;
    this.method = call.method;
    this.path = call.path;
    this.body = call.body.length > LOGGED_BODY ? copyOfStart(call.body) : call.body;
    this.status = call.status;
    this.ms = call.ms;
    this.fault = call.fault;
    this.#headers = call.headers;
  }

  // Redacted when read, not when written: writing happens on every call, reading hardly ever.
  get headers(): Readonly<Record<string, string>> {
    return redactHeaders(this.#headers);
  }

  toJSON(): SandboxCall {
    const { n, at, method, path, headers, body, status, ms, fault } = this;
    return { n, at, method, path, headers, body, status, ms, fault };
  }
}

export interface NewCall extends Omit<SandboxCall, 'n' | 'headers'> {
  readonly headers: IncomingHttpHeaders;
}

/** The last calls, and counters over all of them. */
export class CallLog {
  private readonly ring: SandboxCall[] = [];
  private readonly keep: number;
  private total = 0;
  private byStatus: Record<string, number> = {};
  private byMethod: Record<string, number> = {};

  /** @param keep how many calls are remembered */
  constructor(keep: number) {
    this.keep = Math.max(1, keep);
  }

  record(call: NewCall): SandboxCall {
    const logged = new LoggedCall(this.total + 1, call);
    this.ring[this.total % this.keep] = logged;
    this.total += 1;
    this.byStatus[call.status] = (this.byStatus[call.status] ?? 0) + 1;
    this.byMethod[call.method] = (this.byMethod[call.method] ?? 0) + 1;
    return logged;
  }

  /** The remembered calls, oldest first; at most the last `count`. */
  last(count: number = this.keep): SandboxCall[] {
    const kept = Math.min(this.total, this.keep, Math.max(0, count));
    return Array.from({ length: kept }, (_, index) => this.ring[(this.total - kept + index) % this.keep]!);
  }

  counters(): SandboxCounters {
    return { calls: this.total, byStatus: { ...this.byStatus }, byMethod: { ...this.byMethod } };
  }

  clear(): void {
    this.ring.length = 0;
    this.total = 0;
    this.byStatus = {};
    this.byMethod = {};
  }
}

/** A slice would keep the whole of a large body in memory behind it. */
function copyOfStart(text: string): string {
  return Buffer.from(text.slice(0, LOGGED_BODY), 'utf16le').toString('utf16le');
}
