import type { SandboxCall, SandboxCounters } from './call-log.ts';
import type { FaultRule } from './faults.ts';
import type { ErrorStyle } from './mailtrap/replies.ts';
import type { MailtrapState } from './mailtrap/state.ts';
import type { ContactChangeKind } from './mailtrap/store.ts';
import type { SandboxContact } from './mailtrap/views.ts';

export interface SandboxOptions {
  /** 0, the default, takes a free port. */
  readonly port?: number | undefined;
  /** Address to bind; 127.0.0.1 when absent. */
  readonly host?: string | undefined;
  /** The API token it accepts; `sandbox-token` when absent. */
  readonly token?: string | undefined;
  /** The key of the control API and the page; made up when absent. */
  readonly controlKey?: string | undefined;
  /** How many times the vendor's rate limits; 1 when absent, `Infinity` for none. */
  readonly limitsScale?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: (() => number) | undefined;
  readonly faults?: readonly FaultRule[] | undefined;
  /** Makes the draws of the faults' rates repeatable. */
  readonly seed?: number | undefined;
  /** The only account the older path style may name; others get 403. Any account when absent. */
  readonly accountId?: string | undefined;
  /** How many calls the log remembers; 10,000 when absent. */
  readonly keepCalls?: number | undefined;
  /** The plan's limit on contacts; 2,000,000 when absent. */
  readonly maxContacts?: number | undefined;
  /** How long one stage of an import or export takes by the clock (ms); 1,000 when absent. A poll also ends a stage. */
  readonly jobStepMs?: number | undefined;
  /** Whether 422 bodies look as the spec's schema says (`flat`, the default) or as its examples do (`nested`). */
  readonly errorStyle?: ErrorStyle | undefined;
}

export interface ContactChange {
  readonly kind: ContactChangeKind;
  /** The contact after the change; for `deleted`, as it was. */
  readonly contact: SandboxContact;
  /** Milliseconds since the epoch, by the sandbox's clock. */
  readonly at: number;
}

/** The stand-in's state, with what is told of calls. */
export interface SandboxState extends MailtrapState {
  /** The remembered calls, oldest first. */
  calls(): readonly SandboxCall[];
  /** Over all calls since the start or the last reset. */
  counters(): SandboxCounters;
}

export interface Sandbox {
  /** `http://host:port`, without a slash at the end. */
  readonly url: string;
  /** The base URL to configure for the Mailtrap destination. */
  readonly apiUrl: string;
  /** The page, with the control key in the fragment, which no browser sends to a server. */
  readonly pageUrl: string;
  readonly token: string;
  readonly controlKey: string;
  readonly state: SandboxState;
  /** Adds fault rules to those in force. */
  addFaults(rules: readonly FaultRule[]): void;
  clearFaults(): void;
  /** Forgets contacts, lists, fields, opt-outs, jobs, calls and what the limits counted; fault rules stay. */
  reset(): void;
  /** Hears of each call once it is answered. @returns ends the subscription */
  onCall(listener: (call: SandboxCall) => void): () => void;
  /** Hears of each contact created, changed or deleted, within the call that does it. @returns ends the subscription */
  onContact(listener: (change: ContactChange) => void): () => void;
  /**
   * Waits until a condition holds; it is checked now and after calls and changes.
   * @throws RollcallError `RC_SANDBOX_TIMEOUT`
   */
  until(condition: (state: SandboxState) => boolean, timeoutMs: number): Promise<void>;
  /** Cuts all connections and frees the port. */
  close(): Promise<void>;
}
