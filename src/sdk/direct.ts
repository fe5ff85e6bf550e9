import type { Config, DestinationConfig } from '../config/types.ts';
import type { Exchange, RemoteContact } from '../core/destination.ts';
import { RollcallError } from '../core/errors.ts';
import { createLimiters } from '../engine/limiters.ts';
import { sendEvents } from '../engine/perform-events.ts';
import type { Logger, Send } from '../engine/ports.ts';
import { createRequests, type Sender } from '../engine/requests.ts';
import { codeOf } from '../engine/trouble.ts';
import { configured, type Registry } from '../homes/configured.ts';
import { memoryLimits } from './memory-limits.ts';
import { persist, TRY_MS } from './persist.ts';
import type { Told } from './told.ts';

export interface DirectParts {
  readonly config: Config;
  readonly registry: Registry;
  readonly send: Send;
  readonly log: Logger;
  /** Aborts when nothing shall be sent any more. */
  readonly stopping: AbortSignal;
}

/** Sending without a database: at once, tried again for a while, and the caller waits for the end. */
export interface Direct {
  /** To each destination that takes events, also when another does not take it. @throws RollcallError `RC_NOT_DELIVERED`, `RC_STOPPED`, `RC_VAULT_SECRET` */
  track(event: Told): Promise<void>;
  /**
   * Adds contacts that are there to a list. @returns how many of the addresses were not added: no contact there, or a member before
   * @throws RollcallError `RC_NOT_DELIVERED`, `RC_STOPPED`, `RC_VAULT_SECRET`
   */
  addMembers(name: string, list: number | string, addresses: readonly string[]): Promise<number>;
}

const REQUEST_MS = 10_000;

export function createDirect(parts: DirectParts): Direct {
  const senders = new Map<string, Sender>();
  const senderOf = (name: string): Sender => {
    const known = senders.get(name) ?? createSender(name, parts);
    senders.set(name, known);
    return known;
  };
  return {
    async track(event) {
      const id = await eventId(event);
      const at = event.at ?? new Date().toISOString();
      const remote: RemoteContact = { address: event.address, id: null };
      const sent = { id, name: event.name, properties: event.properties, at: at.replace(/(\.\d{3})Z$/, '$1000Z') };
      const names = parts.config.destinations.filter(({ events }) => events !== 'none').map(({ name }) => name);
      const done = await Promise.allSettled(
        names.map(async (name) => {
          const sender = senderOf(name);
          await persist(name, parts.config.delivery.retry, parts.stopping, async () => {
            const { events } = await sendEvents([sent], remote, createRequests(sender), sender, false);
            return events[0]?.outcome;
          });
        }),
      );
      const failed = done.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
      const took = names.filter((_, n) => done[n]?.status === 'fulfilled');
      if (failed.length > 0) throw failure(failed, took);
    },
    async addMembers(name, list, addresses) {
      const sender = senderOf(name);
      const { destination, config } = sender;
      const members = destination.lists?.members;
      if (members === undefined) throw new TypeError(`${destination.id} has no members of lists`);
      const ask = <Value>(exchange: Exchange<Value>): Promise<Value> => read(exchange, sender, parts, name);
      let unchanged = 0;
      for (let n = 0; n < addresses.length; n += members.most) {
        const some = addresses.slice(n, n + members.most);
        if (members.makesContacts === true && destination.lookup !== undefined) {
          const [address = ''] = some;
          const found = await ask(destination.lookup({ address, id: null }, config));
          unchanged += found === null ? 1 : 0;
          if (found === null) continue;
        }
        const { failed } = await ask(members.change('add', list, some, config));
        unchanged += failed.length;
      }
      return unchanged;
    },
  };
}

/** The first of what failed, with the words of the others and who took it: whoever tries again must know. */
function failure([first, ...others]: readonly unknown[], took: readonly string[]): unknown {
  if (!(first instanceof RollcallError) || others.length + took.length === 0) return first;
  const said = [first, ...others].map((each) => (each instanceof Error ? each.message : String(each)));
  const taken = took.length === 0 ? '' : ` ${took.join(', ')} took it.`;
  return new RollcallError(first.code, `${said.join(' ')}${taken}`, { hint: first.hint, cause: first });
}

/** Asks until it is answered. @throws RollcallError `RC_NOT_DELIVERED`, `RC_STOPPED` */
async function read<Value>(
  exchange: Exchange<Value>,
  sender: Sender,
  { config, stopping }: DirectParts,
  name: string,
): Promise<Value> {
  const values: Value[] = [];
  await persist(name, config.delivery.retry, stopping, async () => {
    const found = await createRequests(sender).read(exchange);
    if (found === undefined || 'outcome' in found) return found?.outcome;
    values.push(found.value);
    return { kind: 'delivered' };
  });
  return values[0] as Value;
}

function createSender(name: string, { config, registry, send, log, stopping }: DirectParts): Sender {
  const found = configured(config, name, registry);
  if (found === undefined) throw new TypeError(`the config names no destination ${name}`);
  const { destination, options, entry } = found;
  checkVault(entry);
  const limits = destination.limits(options);
  const limiters = createLimiters(limits, memoryLimits(Date.now), () => 0);
  return {
    destination,
    config: options,
    plan: {},
    bytesPerRequest: limits.bytesPerRequest,
    send,
    eventsAtMostOnce: config.delivery.events === 'at_most_once',
    permit: (_which, traffic) => limiters.acquire(traffic, performance.now() + TRY_MS, stopping),
    deadlineMs: () => REQUEST_MS,
    onMistake: (error) => log.error({ destination: name, code: codeOf(error) }, 'an event could not be encoded'),
  };
}

/** @throws RollcallError `RC_VAULT_SECRET`: without a database there is no Vault to read */
function checkVault({ name, vault }: DestinationConfig): void {
  if (vault === undefined) return;
  throw new RollcallError('RC_VAULT_SECRET', `The secrets of ${name} stand in Vault, and there is no database URL.`, {
    hint: 'Set DATABASE_URL, or give the secret by an environment variable: ${NAME}.',
    place: { path: `destinations.${name}` },
  });
}

/** A UUID of version 8 (RFC 9562) that is the same each time: what receivers tell repetitions by. */
async function eventId({ id, address, name }: Told): Promise<string> {
  if (id === undefined) return crypto.randomUUID();
  const text = new TextEncoder().encode(JSON.stringify(['rollcall', address.toLowerCase(), name, id]));
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', text)).subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 15) | 128;
  bytes[8] = ((bytes[8] ?? 0) & 63) | 128;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
