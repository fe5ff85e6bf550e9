import type { Segment } from '../core/segments.ts';
import type { RetrySchedule } from '../core/retry.ts';
import type { VaultPart } from './interpolate.ts';
import type {
  Adjustment,
  ConsentBasis,
  ConsentPolicy,
  ContactTable,
  EventTable,
  SystemEvent,
  UserMapping,
  WriteBack,
} from '../core/mapping.ts';

/** A validated, frozen configuration. Made by `loadConfig`; nothing else builds one. */
export interface Config {
  /** The file it was read from, for messages. */
  readonly file: string;
  /** SHA-256 (hex) of everything that shapes what is sent; secrets, URLs and comments are left out. */
  readonly hash: string;
  /** The same of each destination by its name: of the config with that one alone. */
  readonly destinationHashes: Readonly<Record<string, string>>;
  readonly environment: string;
  readonly databaseUrl: string | undefined;
  /** Path of a PEM file with the certificate authority of the database server. */
  readonly sslRootCert: string | undefined;
  /** `https://<ref>.supabase.co` or a self-hosted URL. */
  readonly projectUrl: string | undefined;
  /** The project's secret key, for what asks its API (`rollcall test`); a secret. Workers need none. */
  readonly apiKey: string | undefined;
  /** How the project is read where there is no database URL: by its API. `databaseUrl` is then that of the state database, if it has one. */
  readonly api?: ApiSource | undefined;
  /** False when `connectors.supabase.enabled` is false: nothing is captured or sent. */
  readonly enabled: boolean;
  /** Whether users are contacts by themselves (`sync.users`); if not, only those that a mapped table points at. */
  readonly users: boolean;
  readonly userMapping: UserMapping;
  /** Tables of contacts, in order of precedence: the first that has a value for an attribute gives it, `auth.users` last. */
  readonly tables: readonly ContactTable[];
  readonly eventTables: readonly EventTable[];
  readonly systemEvents: readonly SystemEvent[];
  /** Undefined only while there are no destinations. */
  readonly consent: ConsentBasis | undefined;
  readonly consentPolicy: ConsentPolicy;
  /** Roles of the database that may call `rollcall.can_email`. */
  readonly consentReaders: readonly string[];
  readonly writeBacks: readonly WriteBack[];
  readonly destinations: readonly DestinationConfig[];
  /** People who belong on lists; the mapping and the destinations have them already (`applySegments`). */
  readonly segments: readonly Segment[];
  readonly delivery: {
    /** How long an attempt of unknown outcome is waited out before the state is sent once more, in ms. */
    readonly graceMs: number;
    /** What becomes of an event whose attempt got no answer, where the destination has no key against duplicates. */
    readonly events: 'at_least_once' | 'at_most_once';
    readonly retry: RetrySchedule;
  };
  readonly sweep: {
    /** Time between scheduled sweeps, in ms. */
    readonly everyMs: number;
  };
  /** What stops and waits for a person. */
  readonly brakes: { readonly deletes: Brake; readonly changes: Brake };
  readonly log: {
    readonly level: 'error' | 'warn' | 'info' | 'debug';
    /** The text of each query, never its values. */
    readonly queries: boolean;
    /** A line for each batch of changes as it comes in, with counts alone. */
    readonly realtime: boolean;
  };
  readonly server: {
    /** Who has it may read `GET /metrics`; without one there is none. */
    readonly metricsToken: string | undefined;
    /** Who has it may send Database Webhooks; without one only the token in Vault lets them in. A secret. */
    readonly hookToken?: string | undefined;
  };
  readonly erasure: ErasureConfig;
  /** Who is told when something needs a person; undefined for nobody. */
  readonly alerts: AlertConfig | undefined;
  /**
   * How an idle worker learns of changes: `notify` asks writers for a NOTIFY, which takes a database-wide lock at their
   * commit; `poll` looks every 10 ms and asks nothing of them.
   */
  readonly wake: 'notify' | 'poll';
  /** How changes are seen: by triggers, or read from the write-ahead log by a worker. */
  readonly capture: 'triggers' | 'wal';
  /** How much of the WAL may be kept for us: from when on it is told, and from when on the triggers are made again. In bytes. */
  readonly wal: { readonly warnBytes: number; readonly keepBytes: number };
  /** Functions outside `pg_catalog` that `sql:` expressions may call, as `schema.name`. */
  readonly allowFunctions: readonly string[];
  /** What the config says that has no effect, with places. */
  readonly warnings: readonly ConfigWarning[];
}

/** A project that is read by its API, with keys alone; what is read is staged in a state database. */
export interface ApiSource {
  readonly projectUrl: string;
  /** A secret. */
  readonly apiKey: string;
  /** Of a Postgres of the user's own; undefined: an embedded one. */
  readonly stateUrl: string | undefined;
  /** Where the files of the embedded one are, from the folder of the config. */
  readonly stateFolder: string | undefined;
  /** Whether the file names `state`: the library takes to it only then. */
  readonly named: boolean;
  /** Whether Realtime is listened to, as a hint to look at once. */
  readonly realtime: boolean;
  /** Between two readings, in ms. */
  readonly pollMs: number;
}

/** More than this share of the contacts of a destination in any hour stop, if they are at least so many; or nothing does. */
export type Brake =
  | {
      /** Above 0, at most 1. */
      readonly share: number;
      readonly least: number;
    }
  | 'off';

/** How people are erased: see docs/consent.md, "Erasure". */
export interface ErasureConfig {
  /** What their hashes are made with, where that does not stand in Vault; a secret. */
  readonly key: string | undefined;
  /** Whether whoever is deleted from `auth.users` is erased. */
  readonly onUserDeleted: boolean;
  /** Where what outlives a restore is kept: a path or a URL. */
  readonly export: string | undefined;
  /** The bearer token for that URL; a secret. */
  readonly exportToken: string | undefined;
}

/** A receiver of alerts, and from when on it is told. */
export interface AlertConfig {
  readonly url: string;
  /** `whsec_` and base64, as Standard Webhooks has it. */
  readonly secret: string;
  /** Something that waits for longer is stuck, in ms. */
  readonly stuckMs: number;
  /** So many dead letters of one destination within an hour, or more. */
  readonly failed: number;
  /** So many contacts that one sweep found out of step, or more. */
  readonly drift: number;
}

/** What becomes of a contact whose person left. */
export type LeavingPolicy = 'delete' | 'unsubscribe' | 'keep';

export interface DestinationConfig {
  /** The key under `destinations`. */
  readonly name: string;
  /** Which destination: the id of a registry entry, for example `mailtrap`. */
  readonly type: string;
  /** Parsed by that destination's own schema. With `vault`, placeholders stand for the secrets: nothing can be sent with them. */
  readonly options: unknown;
  /** What of the options stands in Vault, and has to be read before anything is sent (`resolveOptions`); undefined: nothing. */
  readonly vault?: VaultOptions | undefined;
  /** See `Destination.account`; undefined while Vault has what tells it. */
  readonly account: string | undefined;
  /** Which events it takes: see `Destination.capabilities`. */
  readonly events: 'keyed' | 'unkeyed' | 'none';
  /** What becomes of the contact of a person who left: deleted, banned, or no contact any more by the mapping. */
  readonly onDelete: LeavingPolicy;
  /** What it mails about, where the policy of consent is by topic; undefined for everything. */
  readonly topic?: string | undefined;
  /** The base URL of its stand-in in the local sandbox, where it is sent to in development instead; undefined: to the API itself. */
  readonly sandbox?: string | undefined;
  /** How its contacts differ from what the mapping makes of people; undefined where they do not. */
  readonly adjustment?: Adjustment | undefined;
  /** The lists of its segments. */
  readonly segmentLists?: readonly (number | string)[] | undefined;
  /** What `apply` creates there when it is missing. */
  readonly createMissing: { readonly fields: boolean; readonly lists: boolean };
  readonly line: number;
  readonly column: number;
}

/** Options with secrets that stand in Vault. */
export interface VaultOptions {
  /** The options as written, with placeholders. */
  readonly input: unknown;
  readonly places: readonly VaultPlace[];
}

/** An option that stands in Vault, whole or in part. */
export interface VaultPlace {
  /** Below the options. */
  readonly path: readonly (string | number)[];
  readonly parts: readonly VaultPart[];
  /** True when the destination marks it as a secret. */
  readonly secret: boolean;
  readonly line: number;
  readonly column: number;
}

export interface ConfigWarning {
  readonly code: string;
  readonly message: string;
  readonly line: number;
  readonly column: number;
}
