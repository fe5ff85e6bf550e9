import type { SandboxCall } from '../../../src/sandbox/call-log.ts';
import type { ShownContact, ShownEvent } from '../../../src/sandbox/stand-in.ts';
import type { ContactChange, Sandbox } from '../../../src/sandbox/types.ts';
import type { History } from '../interleaving/history.ts';
import { type Absence, TIMES } from './crew.ts';
import { type DestinationId, DESTINATIONS, type Plan } from './plan.ts';
import { EXCHANGE_HEADER, type Exchange } from './exchange.ts';

/** A change of a contact at a destination, and the exchange whose call made it; none when somebody did it by hand. */
export interface Change extends Omit<ContactChange, 'destination'> {
  readonly destination: DestinationId;
  readonly exchange: number | undefined;
  /** Which of the exchange's arrivals: 0 or 1. */
  readonly arrival: number;
}

/** When a request left a worker, by the clock that all processes share. */
export interface Sent {
  readonly id: string;
  readonly at: number;
  readonly method: string;
  readonly path: string;
}

/** A time in which something of the database was not there for workers. */
export interface Outage {
  readonly what: 'crash' | 'full' | 'cut';
  readonly from: number;
  to: number;
}

/** Somebody said no at a destination; `at` is of `sharedNow`. */
export interface OptOut {
  readonly destination: DestinationId;
  readonly address: string;
  /** The contact's id there, if there was one. */
  readonly contact: string | undefined;
  readonly at: number;
}

/** All that is known of a run once it is quiet. */
export interface Evidence {
  readonly plan: Plan;
  readonly history: History;
  /** Address to the number its user was last stamped with. */
  readonly numbers: ReadonlyMap<string, number>;
  /** Address to what `ownerOf` says of its user. */
  readonly owners: ReadonlyMap<string, string | undefined>;
  readonly contacts: Readonly<Record<DestinationId, readonly ShownContact[]>>;
  readonly events: Readonly<Record<DestinationId, readonly ShownEvent[]>>;
  readonly changes: readonly Change[];
  readonly calls: readonly (SandboxCall & { readonly exchange: number })[];
  readonly exchanges: readonly Exchange[];
  readonly absences: readonly Absence[];
  readonly outages: readonly Outage[];
  readonly sends: readonly Sent[];
  /** Requests whose whole answer their sender has read, as `Exchange.sentAs` names them. */
  readonly answered: ReadonlySet<string>;
  /** When its sender knew that a request was over: its answer read, the connection lost, or given up. Named as `answered`. */
  readonly ends: ReadonlyMap<string, number>;
  /** When a request left its worker; when it came to the proxy where nobody wrote that down. */
  readonly sentAt: (exchange: Exchange) => number;
  readonly optOuts: readonly OptOut[];
  /** The turns of the app in which our tables had no room. */
  readonly fullTurns: ReadonlySet<number>;
  /** What the app was told that it must not be told. */
  readonly appErrors: readonly string[];
  /** Why workers did not begin. */
  readonly failures: readonly string[];
  /** What workers wrote. */
  readonly lines: readonly string[];
  readonly complaints: readonly string[];
  /** Rows of our own tables that should not be there, in words. */
  readonly leftovers: readonly string[];
  /** Our own tables as they were left, by name. */
  readonly tables: Readonly<Record<string, unknown>>;
}

/** Keeps each change of a contact with the exchange that made it. A stand-in works on a call in one turn, and then tells of it. */
export function watchChanges(sandbox: Sandbox): readonly Change[] {
  const changes: Change[] = [];
  const arrivals = new Map<number, number>();
  let open: ContactChange[] = [];
  sandbox.onContact((change) => void open.push(change));
  sandbox.onCall((call) => {
    const exchange = exchangeOf(call);
    const arrival = arrivals.get(exchange) ?? 0;
    arrivals.set(exchange, arrival + 1);
    for (const change of open) {
      const destination = DESTINATIONS.find((each) => each === change.destination)!;
      const mine = change.destination === call.destination;
      changes.push({ ...change, destination, exchange: mine ? exchange : undefined, arrival });
    }
    open = [];
  });
  return changes;
}

/** The exchange that a call of the sandbox belongs to. */
export function exchangeOf(call: SandboxCall): number {
  return Number(call.headers[EXCHANGE_HEADER] ?? -1);
}

/** The process that sent it. */
export function senderOf({ sentAs }: Exchange): number {
  return Number(sentAs.split('.')[0]);
}

/** Whether its sender was stopped before it sent: what it had leased may have been another's meanwhile. */
export function wasStopped({ absences }: Pick<Evidence, 'absences'>, exchange: Exchange): boolean {
  const { arrivedAt: at } = exchange;
  return absences.some(({ pid, from, to }) => pid === senderOf(exchange) && from <= at && at <= to + TIMES.leaseMs);
}
