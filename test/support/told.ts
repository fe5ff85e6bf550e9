import { randomUUID } from 'node:crypto';
import type { OptOutReason } from '../../src/sandbox/stand-in.ts';
import { startSandbox } from '../../src/sandbox/start.ts';
import type { ContactChange, Sandbox } from '../../src/sandbox/types.ts';
import { onCleanup } from './database.ts';
import { createWorld, type RunningWorker, type World, type WorldOptions } from './world.ts';

const SECRET = 'the-secret-of-the-webhooks';
/** The destinations that tell of opt-outs. */
export const SENDERS: readonly string[] = ['mailtrap', 'sendry', 'brevo', 'tajo'];
/** Clocks of a worker that looks often. */
const QUICK = { upkeepEveryMs: 200, eraseLookMs: 20, keepEveryMs: 100, keepLookMs: 50 };
const HEALTH = { health: { port: 0, host: '127.0.0.1' } };

export interface Told {
  readonly world: World;
  readonly worker: RunningWorker;
  readonly sandbox: Sandbox;
  readonly changes: readonly ContactChange[];
  /** Somebody opts out there, and the vendor tells of it as often as asked; gives the statuses of the answers. */
  readonly leave: (
    destination: string,
    address: string,
    reason?: OptOutReason,
    times?: number,
  ) => Promise<readonly number[]>;
  readonly status: (destination: string, address: string) => string | undefined;
  /** Requests that would have made somebody subscribed. */
  readonly subscribing: () => readonly { readonly destination: string }[];
  readonly canEmail: (who: string) => Promise<boolean>;
}

/** A world in which destinations tell of opt-outs. `topics`: more lines of some of them. */
export async function told(
  more: WorldOptions = {},
  senders: readonly string[] = SENDERS,
  lines: Readonly<Record<string, string>> = {},
): Promise<Told> {
  const sandbox = await startSandbox({ only: senders, limitsScale: Infinity });
  onCleanup(() => sandbox.close());
  const changes: ContactChange[] = [];
  sandbox.onContact((change) => changes.push(change));
  for (const id of senders) {
    for (const name of ['FIRSTNAME', 'N']) sandbox.of(id).standIn.addField(name, 'text');
  }
  const entry = (id: string): string => {
    const { url, token } = sandbox.of(id);
    const key = id === 'mailtrap' ? 'api_token' : 'api_key';
    return `${id}: { ${key}: ${token}, base_url: ${url}, limits_scale: 10000, webhook_secrets: [${SECRET}]${lines[id] ?? ''} }`;
  };
  const world = await createWorld({
    instead: senders.map(entry).join('\n'),
    more: 'brakes: { deletes: off, changes: off }',
    ...more,
  });
  const worker = await world.start(world.config, { ...HEALTH, times: QUICK });
  return {
    world,
    worker,
    sandbox,
    changes,
    async leave(destination, address, reason = 'unsubscribe', times = 1) {
      const { standIn } = sandbox.of(destination);
      standIn.optOut(address, reason);
      const requests = standIn.webhooks?.([{ address, reason, id: randomUUID() }], SECRET, Date.now()) ?? [];
      const statuses: number[] = [];
      for (let n = 0; n < times; n += 1) {
        for (const { headers, body } of requests) {
          const answer = await fetch(`http://127.0.0.1:${worker.healthPort}/webhooks/${destination}`, {
            method: 'POST',
            headers,
            body,
          });
          statuses.push(answer.status);
        }
      }
      return statuses;
    },
    subscribing: () =>
      sandbox.calls().filter(({ body }) => /"unsubscribed":\s*false|"emailBlacklisted":\s*false/.test(body)),
    status: (destination, address) => sandbox.of(destination).standIn.contact(address)?.status,
    async canEmail(who) {
      const of = who.includes('@') ? 'text' : 'uuid';
      const { rows } = await world.db.app.query(`select rollcall.can_email($1::${of}) as can`, [who]);
      return rows[0].can as boolean;
    },
  };
}
