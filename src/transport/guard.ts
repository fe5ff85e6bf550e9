import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { addressKind } from './addresses.ts';

/** Where requests may go. */
export interface GuardOptions {
  /** Also networks somebody runs themselves, and plain http. Never link-local or metadata addresses. */
  readonly allowPrivate?: boolean | undefined;
}

/** Looks up all addresses of a name; `dns.lookup` unless a test wants other answers. */
export type LookupAll = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** A request that must not leave. The message names the host and never the path. */
export class GuardError extends Error {
  override readonly name = 'GuardError';
}

/** A URL's host as a name or a plain IP address. */
function bare(hostname: string): string {
  return hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
}

/** Whether a host is this machine by its own name. Only the config can say so: no redirect is ever followed. */
export function isLoopbackHost(hostname: string): boolean {
  const host = bare(hostname);
  return host === 'localhost' || host.endsWith('.localhost') || addressKind(host) === 'loopback';
}

/** Why requests to `hostname` must not go to the address `ip`; undefined when they may. */
export function addressProblem(hostname: string, ip: string, options: GuardOptions): string | undefined {
  const kind = addressKind(ip);
  const host = bare(hostname);
  if (isLoopbackHost(host)) return kind === 'loopback' ? undefined : `${host} is not this machine.`;
  if (kind === 'public') return undefined;
  if (kind === 'forbidden') return `${host} has an address that is never a destination (link-local or reserved).`;
  return options.allowPrivate === true ? undefined : `${host} has an address inside a private network.`;
}

/** Why nothing may be sent to a URL, as far as the URL alone tells; undefined when it may. */
export function urlProblem(url: URL, options: GuardOptions): string | undefined {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'Only https URLs can be sent to.';
  if (url.username !== '' || url.password !== '') return `The URL of ${bare(url.hostname)} holds credentials.`;
  if (url.protocol === 'http:' && options.allowPrivate !== true && !isLoopbackHost(url.hostname)) {
    return `${bare(url.hostname)} would be sent to without encryption: use https.`;
  }
  const host = bare(url.hostname);
  return isIP(host) === 0 ? undefined : addressProblem(host, host, options);
}

/**
 * A `lookup` for sockets that hands out only allowed addresses. The check is on the very addresses that are connected
 * to, so a name that answers differently the second time (DNS rebinding) gains nothing.
 */
export function guardedLookup(
  options: GuardOptions,
  lookup: LookupAll = (hostname, how, callback) => dnsLookup(hostname, how, callback),
): LookupFunction {
  return (hostname, how, callback) => {
    lookup(hostname, { ...how, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '', 0);
      const allowed = addresses.filter(({ address }) => addressProblem(hostname, address, options) === undefined);
      const [first] = allowed;
      if (first === undefined) {
        const blocked =
          addresses[0] === undefined ? undefined : addressProblem(hostname, addresses[0].address, options);
        return callback(new GuardError(blocked ?? `${bare(hostname)} has no address.`), '', 0);
      }
      return how.all === true ? callback(null, allowed) : callback(null, first.address, first.family);
    });
  };
}
