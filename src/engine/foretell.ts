import type { AttributePlan, Destination, HttpRequest, RemoteContact } from '../core/destination.ts';
import type { Traffic } from '../core/limits.ts';
import type { Outcome } from '../core/outcome.ts';
import { pathSegment } from '../core/wire.ts';
import { afterCarry, readsBefore } from './perform-state.ts';
import type { Claimed } from './ports.ts';

/** A request that is going to be made. */
export interface Foretold {
  readonly method: HttpRequest['method'];
  /** Below the destination's own URL, as it is sent; what an answer has to tell first is `{id}`. */
  readonly path: string;
  /** The same for everybody: `{id}` and `{address}` in place of theirs. */
  readonly shape: string;
  readonly traffic: Traffic;
  /** All of it, made when it is asked for. */
  readonly request: () => HttpRequest;
}

/** What `perform` is going to do for one contact, if every answer is what is known here. */
export interface Foretelling {
  readonly calls: readonly Foretold[];
  /** A value that the destination would not take: nothing is sent. */
  readonly refused: Outcome | undefined;
}

/** Where it is going to be sent, and what is said there. */
export interface Foreteller {
  readonly destination: Destination<unknown>;
  readonly config: unknown;
  readonly plan: AttributePlan;
}

/**
 * The requests for the state of one contact, in order: what `perform` does, up to the sending. Whoever is looked for before they are made
 * is taken not to be there; whoever is known is taken to be where they were left, subscribed or not as they were told.
 * @param optedOut whether the destination knows them as opted out
 * @throws what `encode` throws
 */
export function foretell(delivery: Claimed, { destination, config, plan }: Foreteller, optedOut: boolean): Foretelling {
  const calls: Foretold[] = [];
  const lookUp = (wanted: RemoteContact): void => {
    const exchange = destination.lookup?.(wanted, config);
    if (exchange === undefined) return;
    const { request } = exchange;
    const { pathname, search } = new URL(request.url);
    calls.push(foretold(request.method, pathname + search, delivery, 'read', () => request));
  };
  let known = delivery;
  if (delivery.action !== 'delete') {
    const { reads, carried } = readsBefore(delivery, destination, config);
    for (const wanted of reads) {
      lookUp(wanted);
      if (carried.includes(wanted))
        known = afterCarry(known, { ...wanted, subscription: optedOut ? 'unsubscribed' : 'subscribed' });
    }
  }
  for (const operation of destination.encode(known, plan, config)) {
    if (operation.refused !== undefined) return { calls, refused: operation.refused };
    if (operation.find !== undefined) lookUp({ id: null, address: operation.find });
    const { method, path } = operation;
    calls.push(foretold(method, path, delivery, 'contact', () => destination.request([operation], config)));
  }
  return { calls, refused: undefined };
}

function foretold(
  method: HttpRequest['method'],
  path: string,
  delivery: Claimed,
  traffic: Traffic,
  request: () => HttpRequest,
): Foretold {
  return { method, path, shape: shapeOf(path, delivery), traffic, request };
}

/** A path without what names one contact. */
function shapeOf(path: string, { address, remote, carryFrom, contactId }: Claimed): string {
  let shape = without(without(path, remote?.id, '{id}'), contactId, '{id}');
  shape = without(shape, address, '{address}');
  if (remote?.address !== address) shape = without(shape, remote?.address, '{address}');
  shape = without(shape, carryFrom, '{address}');
  for (const each of remote?.leftovers ?? []) shape = without(shape, each, '{address}');
  return shape;
}

/** The same however it is written. */
const PLAIN = /^[\w~-][\w.~-]*$/;

/** A whole segment of a path, or a whole value of its query. */
function without(path: string, value: string | null | undefined, name: string): string {
  if (value === null || value === undefined || value === '') return path;
  for (const write of PLAIN.test(value) ? [asIs] : WRITTEN) {
    const written = write(value);
    const at = path.lastIndexOf(written);
    const before = path[at - 1] ?? '';
    const after = path[at + written.length] ?? '/';
    if (at > 0 && '/='.includes(before) && '/?&'.includes(after))
      return path.slice(0, at) + name + path.slice(at + written.length);
  }
  return path;
}

const asIs = (value: string): string => value;
const WRITTEN = [pathSegment, encodeURIComponent, asIs];
