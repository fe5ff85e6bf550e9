import type { AttributePlan, Delivery, Operation } from '../../core/destination.ts';
import type { Options } from './config.ts';

/**
 * What to send to Acme for a delivery. Pure.
 *
 * To write, for each `delivery.action` (see `Delivery` and `RemoteContact` in core/destination.ts):
 * - `upsert`: one request that creates or updates the contact with `delivery.attributes`; null clears one. With `takeover`
 *   every attribute of the plan that is not given is cleared too. `mustOptOut` (core/opt-out.ts) says whether this very
 *   request carries the opt-out, and `mustOptIn` whether it subscribes; nothing else says *subscribed*. Where the address has changed and the vendor cannot move
 *   the contact, the old address is deleted after it, and so is each of `remote.leftovers`.
 * - `delete`: by `remote.id`, else by `remote.address`, with the leftovers; nothing when nothing is known.
 * - `unsubscribe`: the opt-out and nothing else; leftovers are deleted.
 *
 * Paths are made in paths.ts, so that no address goes into a URL as it is. An operation looks so:
 * `{ kind: 'upsert', method: 'PUT', path: contactPath(address), body: {..}, batchKey: null }`.
 */
export function encode(_delivery: Delivery, _plan: AttributePlan, _config: Options): readonly Operation[] {
  return [];
}
