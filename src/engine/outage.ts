import type { Logger } from './ports.ts';

/** Speaks of a database that cannot be used: once for each reason, now and then, and once when it is over. */
export interface Outage {
  /** True when the error, with this code, says that the database cannot be used: then nobody else has to speak of it. */
  failed(error: unknown, code: string): boolean;
  worked(): void;
}

const REMIND_MS = 30_000;
/** Some may be served while others are refused: over is what has not failed for so long. */
const QUIET_MS = 2_000;

/** @param now the time, in ms */
export function createOutage(log: Logger, now: () => number): Outage {
  let since: number | undefined;
  let saidAt = 0;
  const said = new Set<string>();
  let failedAt = 0;
  return {
    failed(error, code) {
      const why = whyAway(code, error instanceof Error ? error.message : '');
      if (why === undefined) return false;
      failedAt = now();
      since ??= failedAt;
      if (said.has(why) && failedAt - saidAt < REMIND_MS) return true;
      saidAt = failedAt;
      said.add(why);
      log.warn({ code }, `the database can't be used: ${why}; will try again`);
      return true;
    },
    worked() {
      if (since === undefined || now() - failedAt < QUIET_MS) return;
      log.info({ seconds: Math.round((failedAt - since) / 1_000) }, 'the database can be used again');
      since = undefined;
      said.clear();
    },
  };
}

/**
 * Why the database cannot be used now, as the end of a sentence; undefined when an error says something else. Codes: Postgres, "PostgreSQL
 * Error Codes"; Node's system errors; of the driver only messages.
 */
export function whyAway(code: string, message: string): string | undefined {
  if (code === '53300') return 'it has no connection left';
  if (code.startsWith('53') && code.length === 5) return 'it has no room on disk or in memory';
  if (code === '57P03') return 'it is starting up or shutting down';
  if (/^(?:57P|08)/.test(code)) return 'it ended the connection';
  if (code === '25006' || (code === '55000' && /recovery/.test(message)))
    return 'it only reads, as a standby does, or one that is out of disk space';
  if (/^(?:ECONN|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_)/.test(code)) return 'it can not be reached';
  if (
    code === 'ETIMEDOUT' ||
    /^(?:Query read timeout|timeout ex|Connection terminated due to .* timeout)/.test(message)
  )
    return 'it does not answer';
  if (/^(?:Connection terminated|Client has encountered a connection error)/.test(message))
    return 'the connection was lost';
  return undefined;
}
