import { MailtrapStandIn } from '../../src/destinations/mailtrap/sandbox/stand-in.ts';
import type { MailtrapState } from '../../src/destinations/mailtrap/sandbox/state.ts';
import type { MailtrapSettings } from '../../src/destinations/mailtrap/sandbox/settings.ts';
import type { SandboxCall, SandboxCounters } from '../../src/sandbox/call-log.ts';
import { startSandbox as start } from '../../src/sandbox/start.ts';
import { PATIENCE_MS } from './people.ts';
import type { Sandbox as AnySandbox, SandboxOptions as AnyOptions } from '../../src/sandbox/types.ts';

export type SandboxOptions = Omit<AnyOptions, 'only' | 'tokens' | 'settings'> & Partial<MailtrapSettings>;

/** Mailtrap's own views of what it holds, with what is told of calls. */
export type SandboxState = MailtrapState & {
  calls(): readonly SandboxCall[];
  counters(): SandboxCounters;
};

/** A sandbox with Mailtrap alone. */
export interface Sandbox extends Omit<AnySandbox, 'until'> {
  /** The base URL to configure for the destination. */
  readonly apiUrl: string;
  readonly token: string;
  readonly state: SandboxState;
  until(condition: (state: SandboxState) => boolean, timeoutMs?: number): Promise<void>;
}

/** Starts a sandbox with Mailtrap alone and gives it in Mailtrap's own words. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { accountId, admin, maxContacts, errorStyle, webhookFormat, ...others } = options;
  const settings = { mailtrap: { accountId, admin, maxContacts, errorStyle, webhookFormat } };
  const sandbox = await start({ ...others, only: ['mailtrap'], settings });
  const { url, token, standIn } = sandbox.of('mailtrap');
  if (!(standIn instanceof MailtrapStandIn)) throw new Error('not the stand-in of Mailtrap');
  const state = Object.assign(standIn.state, {
    calls: () => sandbox.calls(),
    counters: () => sandbox.counters(),
  });
  return Object.assign(sandbox, {
    apiUrl: url,
    token,
    state,
    until: untilOf(sandbox.until.bind(sandbox), state),
  });
}

function untilOf(until: AnySandbox['until'], state: SandboxState): Sandbox['until'] {
  return async (condition, timeoutMs = PATIENCE_MS) => await until(() => condition(state), timeoutMs);
}
