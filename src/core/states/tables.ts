import { DELIVERY_STATES } from './delivery.ts';
import { DELIVERIES, DELIVERY_IMPOSSIBLE, DELIVERY_MEANINGS } from './delivery-table.ts';
import { EVENT_STATES } from './event.ts';
import { EVENT_IMPOSSIBLE, EVENT_MEANINGS, EVENTS } from './event-table.ts';

/** A table as a page shows it. */
export interface StateTable {
  /** The columns. */
  readonly order: readonly string[];
  readonly meanings: Readonly<Record<string, string>>;
  readonly table: Readonly<Record<string, readonly unknown[]>>;
  readonly impossible: Readonly<Record<string, string>>;
}

/** The tables of SPEC.md, by the name of their place there: see scripts/states-page.mjs. */
export const TABLES: Readonly<Record<'deliveries' | 'events', StateTable>> = {
  deliveries: {
    order: DELIVERY_STATES,
    meanings: DELIVERY_MEANINGS,
    table: DELIVERIES,
    impossible: DELIVERY_IMPOSSIBLE,
  },
  events: { order: EVENT_STATES, meanings: EVENT_MEANINGS, table: EVENTS, impossible: EVENT_IMPOSSIBLE },
};
