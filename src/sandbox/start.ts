import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { RollcallError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { apiServer } from './api-server.ts';
import { CallLog, type SandboxCall } from './call-log.ts';
import { ConsentHistory } from './consent-history.ts';
import { ChangeStreams } from './change-streams.ts';
import { controlApp } from './control.ts';
import { FaultBox } from './fault-box.ts';
import { findStandIns } from './find-stand-ins.ts';
import { hostGuard } from './host-guard.ts';
import { loadState, saveState } from './sandbox-state.ts';
import { seededRandom } from './seeded-random.ts';
import { Newest, type SandboxDestination } from './served.ts';
import { Signal, until } from './signals.ts';
import type { StandInMaker } from './stand-in.ts';
import type { ContactChange, Sandbox, SandboxOptions } from './types.ts';

/**
 * Starts local stand-ins of the destinations' APIs, each under its id, with faults on demand, a control API and a page.
 * @throws RollcallError `RC_SANDBOX_LIMITS` for a scale that is not above zero, `RC_SANDBOX_DESTINATION` for an id without a
 *   stand-in, `RC_FAULT_INVALID` for a fault of a destination that is not
 *   served, `RC_SANDBOX_STATE` for a state that is none, `RC_SANDBOX_PORT` when it can't listen
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const host = options.host ?? '127.0.0.1';
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
  const history = new ConsentHistory();
  const newest = new Map<string, Newest>();
  let origin = '';
  let revision = 0;

  const makers = options.standIns === undefined ? await findStandIns(options.only) : Object.entries(options.standIns);
  const destinations = makers.map(([id, make]) => serve(id, make));
  const byId = new Map(destinations.map((destination) => [destination.id, destination]));

  function serve(id: string, make: StandInMaker): SandboxDestination {
    const recent = new Newest();
    newest.set(id, recent);
    const token = options.tokens?.[id] ?? options.token ?? 'sandbox-token';
    const url = (): string => `${origin}/${id}`;
    const standIn = make({
      token,
      limitsScale,
      now,
      url,
      jobStepMs: options.jobStepMs ?? 1_000,
      settings: options.settings?.[id] ?? {},
      onContact: (kind, contact) => {
        revision += 1;
        recent.note(kind, contact);
        history.note(id, kind, contact, now());
        if (streams.watched) streams.contact(id, contact.id, kind);
        if (onContact.heard) onContact.tell({ destination: id, kind, contact, at: now() });
      },
      onEvent: (event) => {
        revision += 1;
        if (streams.watched) streams.event({ destination: id, ...event });
      },
    });
    return {
      id,
      token,
      standIn,
      get url(): string {
        return url();
      },
    };
  }

  const streams = new ChangeStreams({
    destinations,
    newest: ({ id, standIn }) => newest.get(id)?.contacts(standIn) ?? [],
    calls: (count) => calls.last(count),
    counters: () => calls.counters(),
    faults: () => faults.list().map(({ rule, left }) => ({ rule: rule as JsonObject, left })),
  });
  const random = seededRandom(options.seed ?? randomBytes(4).readUInt32LE());
  const ids = destinations.map(({ id }) => id);
  const faults = new FaultBox(random, options.faults ?? [], ids);
  const reset = (): void => {
    for (const { standIn } of destinations) standIn.reset();
    calls.clear();
    history.clear();
    revision += 1;
    streams.restart();
  };
  const load: Sandbox['load'] = (state) => {
    loadState(destinations, state);
    history.clear();
    for (const { id, standIn } of destinations) newest.get(id)?.readFrom(standIn);
    revision += 1;
    streams.restart();
  };
  if (options.state !== undefined) load(options.state);
  const save = (): ReturnType<typeof saveState> => saveState(destinations);
  const app = controlApp({ controlKey, destinations, calls, faults, history, streams, reset, save, load, now });

  const server = apiServer({
    destinations: byId,
    faults,
    history,
    allowsHost: hostGuard(host),
    control: getRequestListener(app.fetch, { overrideGlobalObjects: false }),
    now,
    closing: closing.signal,
    onCall: (call) => {
      const logged = calls.record(call);
      revision += 1;
      if (streams.watched) streams.call(logged);
      if (onCall.heard) onCall.tell(logged);
    },
  });
  await listen(server, options.port ?? 0, host);
  origin = `http://${reachable(host)}:${(server.address() as AddressInfo).port}`;

  return {
    url: origin,
    pageUrl: `${origin}/#key=${encodeURIComponent(controlKey)}`,
    controlKey,
    destinations,
    of: (id) => {
      const destination = byId.get(id);
      if (destination !== undefined) return destination;
      throw new RollcallError('RC_SANDBOX_DESTINATION', `This sandbox does not serve "${id}".`, {
        hint: `It serves: ${ids.join(', ')}.`,
      });
    },
    calls: () => calls.last(),
    counters: () => calls.counters(),
    addFaults: (rules) => faults.add(rules),
    clearFaults: () => faults.clear(),
    reset,
    save,
    load,
    get revision(): number {
      return revision;
    },
    onCall: (listener) => onCall.on(listener),
    onContact: (listener) => onContact.on(listener),
    until: async (condition, timeoutMs) => {
      await until([onCall, onContact], condition, timeoutMs);
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
