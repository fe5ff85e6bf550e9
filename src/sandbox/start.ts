import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { RollcallError } from '../core/errors.ts';
import { apiServer } from './api-server.ts';
import { CallLog, type SandboxCall, type SandboxCounters } from './call-log.ts';
import { ChangeStreams } from './change-streams.ts';
import { controlApp } from './control.ts';
import { FaultBox } from './fault-box.ts';
import { hostGuard } from './host-guard.ts';
import type { Account } from './mailtrap/account.ts';
import { mountMailtrapControl } from './mailtrap/control.ts';
import { Jobs } from './mailtrap/jobs.ts';
import { MailtrapState } from './mailtrap/state.ts';
import { Store, type StoredContact } from './mailtrap/store.ts';
import { asJson, contactView } from './mailtrap/views.ts';
import { MailtrapWorld } from './mailtrap/world.ts';
import { seededRandom } from './seeded-random.ts';
import { Signal, until } from './signals.ts';
import type { ContactChange, Sandbox, SandboxOptions, SandboxState } from './types.ts';

/**
 * Starts a local stand-in of the Mailtrap Contacts API, with faults on demand, a control API and a page.
 * @throws RollcallError `RC_SANDBOX_LIMITS` for a scale that is not above zero, `RC_SANDBOX_PORT` when it can't listen
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const host = options.host ?? '127.0.0.1';
  const token = options.token ?? 'sandbox-token';
  const controlKey = options.controlKey ?? randomBytes(16).toString('hex');
  const limitsScale = options.limitsScale ?? 1;
  if (!(limitsScale > 0)) {
    throw new RollcallError('RC_SANDBOX_LIMITS', `The scale of the limits must be above zero, not ${limitsScale}.`);
  }
  const now = options.now ?? Date.now;
  const calls = new CallLog(options.keepCalls ?? 10_000);
  const onCall = new Signal<SandboxCall>();
  const onContact = new Signal<ContactChange>();
  const closing = new AbortController();
  let origin = '';

  const store: Store = new Store(
    now,
    (kind, contact: StoredContact) => {
      if (streams.watched) streams.contact(contact.id, kind);
      if (onContact.heard) onContact.tell({ kind, contact: contactView(contact, store), at: now() });
    },
    (event) => {
      if (streams.watched) streams.event({ ...event });
    },
  );
  const jobStepMs = options.jobStepMs ?? 1_000;
  const account: Account = {
    store,
    imports: new Jobs(now, jobStepMs),
    exports: new Jobs(now, jobStepMs),
    files: new Map(),
    now,
    errorStyle: options.errorStyle ?? 'flat',
    maxContacts: options.maxContacts ?? 2_000_000,
    origin: () => origin,
  };
  const world = new MailtrapWorld(account, { token, accountId: options.accountId ?? null, limitsScale });
  const streams = new ChangeStreams({
    contacts: (count) => store.newest(count).map((contact) => asJson(contactView(contact, store))),
    calls: (count) => calls.last(count),
    counters: () => calls.counters(),
    contactCount: () => store.size,
    events: (count) => store.events.slice(-count).map((event) => ({ ...event })),
    eventCount: () => store.eventCount,
    contact: (id) => {
      const contact = store.find(id);
      return contact === undefined ? null : asJson(contactView(contact, store));
    },
  });
  const faults = new FaultBox(seededRandom(options.seed ?? randomBytes(4).readUInt32LE()), options.faults ?? []);
  const reset = (): void => {
    world.reset();
    calls.clear();
  };
  const state = new State(account, calls);
  const app = controlApp({ controlKey, world, calls, faults, streams, reset });
  mountMailtrapControl(app, state, now);

  const server = apiServer({
    world,
    faults,
    allowsHost: hostGuard(host),
    control: getRequestListener(app.fetch, { overrideGlobalObjects: false }),
    now,
    closing: closing.signal,
    onCall: (call) => {
      const logged = calls.record(call);
      if (streams.watched) streams.call(logged);
      if (onCall.heard) onCall.tell(logged);
    },
  });
  await listen(server, options.port ?? 0, host);
  origin = `http://${reachable(host)}:${(server.address() as AddressInfo).port}`;

  return {
    url: origin,
    apiUrl: origin,
    pageUrl: `${origin}/#key=${encodeURIComponent(controlKey)}`,
    token,
    controlKey,
    state,
    addFaults: (rules) => faults.add(rules),
    clearFaults: () => faults.clear(),
    reset,
    onCall: (listener) => onCall.on(listener),
    onContact: (listener) => onContact.on(listener),
    until: async (condition, timeoutMs) => {
      await until([onCall, onContact], () => condition(state), timeoutMs);
    },
    close: async () => {
      closing.abort();
      streams.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

class State extends MailtrapState implements SandboxState {
  readonly #calls: CallLog;

  constructor(account: Account, calls: CallLog) {
    super(account);
    this.#calls = calls;
  }

  calls(): readonly SandboxCall[] {
    return this.#calls.last();
  }

  counters(): SandboxCounters {
    return this.#calls.counters();
  }
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        new RollcallError(
          'RC_SANDBOX_PORT',
          `The sandbox can't listen on ${host}:${port} (${cause.code ?? 'error'}).`,
          {
            hint: 'Choose another port, or 0 for a free one.',
            cause,
          },
        ),
      );
    });
    server.listen(port, host, resolve);
  });
}

/** A host as it stands in a URL that can be opened on this machine. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::' || host === '') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
