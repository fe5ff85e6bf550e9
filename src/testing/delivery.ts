import type { Delivery, Origin } from '../core/destination.ts';
import type { Claimed } from '../engine/ports.ts';

/** As if one install had sent all of them. */
const ORIGIN: Origin = { id: '00000000-0000-4000-8000-0000000000aa', epoch: 1_700_000_000_000 };

/** A delivery with all its parts; an upsert of nothing but an address unless something else is said. */
export function delivery(parts: Partial<Claimed>): Claimed {
  return {
    contactId: '1',
    version: '1',
    action: 'upsert',
    sendState: true,
    events: [],
    size: 0,
    address: 'ann@example.com',
    remote: null,
    attributes: {},
    takeover: false,
    consent: 'basis',
    tries: 0,
    lane: 0,
    dueAt: '',
    carryFrom: null,
    origin: ORIGIN,
    ...parts,
  };
}

/** The part of a claim that a destination sees. */
export function bare(claimed: Claimed): Delivery {
  const { contactId, version, action, address, remote, attributes, takeover, consent, origin, lists } = claimed;
  return { contactId, version, action, address, remote, attributes, takeover, consent, origin, lists };
}
