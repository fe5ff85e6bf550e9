import { createOutage, type Outage } from './outage.ts';
import type { Logger } from './ports.ts';

/** Speaks of something that fails again and again: at first, now and then, and when it works again. */
export interface Trouble {
  failed(error: unknown): void;
  worked(): void;
}

const REMIND_MS = 30_000;

// Whatever fails because the database is away fails for one reason, which is said once for all who log to the same place.
const outages = new WeakMap<Logger, Outage>();

function outageOf(log: Logger): Outage {
  const outage = outages.get(log) ?? createOutage(log, () => performance.now());
  outages.set(log, outage);
  return outage;
}

/** @param what the end of a sentence that starts with "could not" */
export function createTrouble(log: Logger, fields: object, what: string): Trouble {
  const outage = outageOf(log);
  let since: number | undefined;
  let saidAt = 0;
  return {
    failed(error) {
      if (outage.failed(error, codeOf(error))) return;
      const now = performance.now();
      since ??= now;
      if (saidAt > 0 && now - saidAt < REMIND_MS) return;
      saidAt = now;
      log.warn({ ...fields, code: codeOf(error) }, `could not ${what}; will try again`);
    },
    worked() {
      outage.worked();
      if (since === undefined) return;
      log.info({ ...fields, seconds: Math.round((performance.now() - since) / 1_000) }, `can ${what} again`);
      since = undefined;
      saidAt = 0;
    },
  };
}

/** The code of an error, for a log line; its message may hold personal data. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : error instanceof Error ? error.name : 'unknown';
}
