import { EventEmitter } from 'node:events';
import { codeOf } from '../engine/trouble.ts';
import { canEmail } from './can-email.ts';
import { checkSupabase, type Checked } from './check.ts';
import { checkConnector, connect, type Connection, type ConnectOptions } from './connect.ts';
import type { RollcallConfig } from './define-config.ts';
import { createDurable } from './durable.ts';
import { createHost, type Host, type HostOptions } from './host.ts';
import { type AddedContacts, addContacts, type AddOptions, type ListRows } from './lists.ts';
import { supabaseClient } from './supabase-client.ts';
import type { SupabaseClient } from './supabase-types.ts';
import { sync, type Synced, type SyncOptions } from './sync.ts';
import { checkEvent, type TrackedEvent } from './told.ts';
import { createOwnWorker, type OwnWorker, type RollcallEvents, type StartOptions } from './worker.ts';

export interface RollcallOptions<Database = unknown> extends Omit<HostOptions, 'config'> {
  /** Path of a `rollcall.yaml`, or what `defineConfig` gives; without it `apiKey` is enough for events and lists. */
  // Whatever its attributes are: they are checked where it is defined.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly config?: string | RollcallConfig<Database, any> | RollcallConfig | undefined;
}

/**
 * A Supabase project and the platforms that are kept in step with it. Nothing is opened before it is needed.
 *
 * With a database URL (`DATABASE_URL`, or `connectors.connect`) `events` and `lists` write into the queue of the database: once such a
 * call has returned nothing is lost. Without one they send at once, and a call that returned was accepted.
 */
export class Rollcall<Database = unknown> extends EventEmitter<RollcallEvents> {
  readonly #host: Host;
  readonly #worker: OwnWorker;
  #supabase: unknown;

  constructor(options: RollcallOptions<Database> = {}) {
    super();
    this.#host = createHost(options);
    this.#worker = createOwnWorker(this.#host, (name, ...args) => this.#tell(name, args));
  }

  /** The project as a source of contacts. */
  readonly connectors: {
    /** @throws RollcallError for the config, the database and the destinations */
    connect(name: 'supabase', options?: ConnectOptions): Promise<Connection>;
    /** Brings in whoever is there, and waits until everybody is delivered or refused. @throws RollcallError */
    sync(name: 'supabase', options: SyncOptions): Promise<readonly Synced[]>;
    /** Asks, live, whether all that is configured can be reached and used. @throws RollcallError for the config alone */
    test(name: 'supabase'): Promise<Checked>;
  } = {
    connect: async (name, options = {}) => {
      checkConnector(name);
      this.#supabase = undefined;
      return await this.#host.during(() => connect(this.#host, options));
    },
    sync: async (name, options) => {
      checkConnector(name);
      return await this.#host.during(() => sync(this.#host, options));
    },
    test: async (name) => {
      checkConnector(name);
      return await this.#host.during(() => checkSupabase(this.#host));
    },
  };

  /** What contacts do. */
  readonly events: {
    /** Tells of one event, or of many. @throws RollcallError `RC_EVENT_INVALID`, `RC_NOT_DELIVERED`, `RC_NOT_INSTALLED`, `RC_STOPPED` */
    track(event: TrackedEvent | readonly TrackedEvent[]): Promise<void>;
  } = {
    track: async (event) => {
      const all = Array.isArray(event)
        ? (event as readonly TrackedEvent[]).map((each, n) => checkEvent(each, n))
        : [checkEvent(event as TrackedEvent)];
      await this.#host.during(async () => {
        const sql = await this.#host.database();
        if (sql !== undefined) return await createDurable(sql).track(all);
        const direct = await this.#host.direct();
        for (const each of all) await direct.track(each);
      });
    },
  };

  /** Lists of a destination. */
  readonly lists: {
    /** Adds contacts to a list, by its id or its name. @throws RollcallError */
    addContacts(list: number | string, rows: ListRows, options?: AddOptions): Promise<AddedContacts>;
  } = {
    addContacts: (list, rows, options = {}) => addContacts(this.#host, list, rows, options),
  };

  /**
   * A client of supabase-js for the project, as `createClient` makes it: tables, full-text search, Storage, functions. With the URL and
   * key of `connect` or the environment, else with those of the config, once it was read.
   * @throws RollcallError `RC_SUPABASE_JS` where that package is not installed, `RC_NOT_CONNECTED`
   */
  get supabase(): SupabaseClient<Database> {
    const { SUPABASE_URL: url, SUPABASE_SECRET_KEY: key, SUPABASE_SERVICE_ROLE_KEY: old } = this.#host.env();
    const { projectUrl, apiKey } = this.#host.known() ?? {};
    // An empty variable is none.
    this.#supabase ??= supabaseClient({ url: url || projectUrl, key: key || old || apiKey, fetch: this.#host.fetch });
    return this.#supabase as SupabaseClient<Database>;
  }

  /**
   * Whether somebody may be mailed: see docs/consent.md.
   * @param person the id of a user, or an address
   * @throws RollcallError `RC_DATABASE_URL`, `RC_NOT_INSTALLED`
   */
  async canEmail(person: string, options: { readonly topic?: string | undefined } = {}): Promise<boolean> {
    return await this.#host.during(() => canEmail(this.#host, person, options.topic));
  }

  /**
   * Runs a worker in this process, until `stop`. Resolves once it runs; a second call changes nothing.
   * @throws RollcallError for the config, the install and the database
   */
  start(options: StartOptions = {}): Promise<void> {
    return this.#worker.start(options);
  }

  /**
   * Ends the worker, which finishes what is in flight, and closes every connection. Calls that are not over come to their end first,
   * without waiting for anything. What is used again is opened again.
   */
  async stop(): Promise<void> {
    await Promise.all([this.#worker.stop(), this.#host.close()]);
  }

  #tell<Name extends keyof RollcallEvents>(name: Name, args: RollcallEvents[Name]): void {
    // Node takes an `error` that nobody listens to for a crash.
    if (name === 'error' && this.listenerCount('error') === 0) {
      this.#host.log.error({ code: codeOf(args[0]) }, 'the worker has ended by itself');
      return;
    }
    try {
      (this as EventEmitter).emit(name, ...args);
    } catch (error) {
      // Nobody called it who could be told, and what it was told of has happened.
      this.#host.log.error({ event: name, code: codeOf(error) }, 'a listener of the app failed');
    }
  }
}
