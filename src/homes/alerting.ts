import type { Config } from '../config/types.ts';
import { runAlerts } from '../engine/alert-loop.ts';
import { fatalError } from '../engine/fatal.ts';
import type { Logger, Send } from '../engine/ports.ts';
import type { Sql } from '../sql/port.ts';
import { alertStore } from '../sql/store/alerts.ts';
import type { Identity } from '../sql/store/identity.ts';
import { gaugesOf } from './gauges.ts';

/** Tells whoever the config names what is wrong, until the signal aborts; at once done when it names nobody. */
export async function runAlerting(
  config: Config,
  parts: {
    readonly sql: Sql;
    readonly identity: Identity;
    readonly send: Send;
    readonly log: Logger;
    readonly everyMs: number;
  },
  signal: AbortSignal,
): Promise<void> {
  const { alerts, environment } = config;
  if (alerts === undefined) return;
  const { sql, identity, send, log, everyMs } = parts;
  const receiver = { url: alerts.url, auth: { sign: 'standard-webhooks', secrets: [alerts.secret] } } as const;
  const isFatal = (error: unknown): boolean => fatalError(error) !== undefined;
  const store = { ...alertStore(sql, identity), gauges: () => gaugesOf(sql, config) };
  await runAlerts(
    { store, send, receiver, limits: alerts, environment, log, everyMs, random: Math.random, isFatal },
    signal,
  );
}
