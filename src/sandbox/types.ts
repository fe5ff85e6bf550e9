import type { SandboxCall, SandboxCounters } from './call-log.ts';
import type { FaultRule } from './faults.ts';
import type { SandboxDestination } from './served.ts';
import type { ContactChangeKind, ShownContact, StandInMaker } from './stand-in.ts';
import type { Json } from '../core/json.ts';

export interface SandboxOptions {
  /** Ids of the destinations to stand in for; all that there are when absent. */
  readonly only?: readonly string[] | undefined;
  /** The stand-ins to serve, by id, in place of those that are found. */
  readonly standIns?: Readonly<Record<string, StandInMaker>> | undefined;
  /** 0, the default, takes a free port. */
  readonly port?: number | undefined;
  /** Address to bind; 127.0.0.1 when absent. */
  readonly host?: string | undefined;
  /** The key that every stand-in accepts; `sandbox-token` when absent. */
  readonly token?: string | undefined;
  /** Keys by destination, where they shall differ. */
  readonly tokens?: Readonly<Record<string, string>> | undefined;
  /** Settings that one stand-in knows, by destination. */
  readonly settings?: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined;
  /** The key of the control API and the page; made up when absent. */
  readonly controlKey?: string | undefined;
  /** How many times the vendors' limits; 1 when absent, `Infinity` for none. */
  readonly limitsScale?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: (() => number) | undefined;
  readonly faults?: readonly FaultRule[] | undefined;
  /** Makes the draws of the faults' rates repeatable. */
  readonly seed?: number | undefined;
  /** How many calls the log remembers; 10,000 when absent. */
  readonly keepCalls?: number | undefined;
  /** How long one stage of a job takes by the clock (ms); 1,000 when absent. A poll also ends a stage. */
  readonly jobStepMs?: number | undefined;
  /** What `save` gave, to begin with. */
  readonly state?: Json | undefined;
}

export interface ContactChange {
  /** The id of the destination. */
  readonly destination: string;
  readonly kind: ContactChangeKind;
  /** The contact after the change; for `deleted`, as it was. */
  readonly contact: ShownContact;
  /** Milliseconds since the epoch, by the sandbox's clock. */
  readonly at: number;
}

export interface Sandbox {
  /** `http://host:port`, without a slash at the end. */
  readonly url: string;
  /** The page, with the control key in the fragment, which no browser sends to a server. */
  readonly pageUrl: string;
  readonly controlKey: string;
  /** In the order of their ids. */
  readonly destinations: readonly SandboxDestination[];
  /** One of them. @throws RollcallError `RC_SANDBOX_DESTINATION` for an id that is not served */
  of(id: string): SandboxDestination;
  /** The remembered calls, oldest first. */
  calls(): readonly SandboxCall[];
  /** Over all calls since the start or the last reset. */
  counters(): SandboxCounters;
  /** Adds fault rules to those in force. */
  addFaults(rules: readonly FaultRule[]): void;
  clearFaults(): void;
  /** Forgets contacts, lists, fields, opt-outs, jobs, calls and what the limits counted; fault rules stay. */
  reset(): void;
  /** All that the stand-ins hold. */
  save(): Json;
  /** Takes what `save` gave in place of what there is. @throws RollcallError `RC_SANDBOX_STATE`, with everything as it was */
  load(state: Json): void;
  /** Grows with whatever may have changed what `save` gives. */
  readonly revision: number;
  /** Hears of each call once it is answered. @returns ends the subscription */
  onCall(listener: (call: SandboxCall) => void): () => void;
  /** Hears of each contact created, changed or deleted, within the call that does it. @returns ends the subscription */
  onContact(listener: (change: ContactChange) => void): () => void;
  /**
   * Waits until a condition holds; it is checked now and after calls and changes.
   * @throws RollcallError `RC_SANDBOX_TIMEOUT`
   */
  until(condition: () => boolean, timeoutMs: number): Promise<void>;
  /** Cuts all connections and frees the port. */
  close(): Promise<void>;
}
