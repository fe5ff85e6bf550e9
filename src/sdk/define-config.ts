import type { ObjectColumn, RowsOfProject } from './database-types.ts';
import type { AttributeKind, Computed, ContactLink, Targets } from './mapping-types.ts';

type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

/** What may be mapped of `auth.users`: src/core/user-columns.ts. */
interface UserRow {
  id: string;
  email: string;
  phone: string;
  role: string;
  aud: string;
  user_metadata: Json;
  app_metadata: Json;
  created_at: string;
  updated_at: string;
  invited_at: string;
  confirmed_at: string;
  email_confirmed_at: string;
  phone_confirmed_at: string;
  last_sign_in_at: string;
  banned_until: string;
  deleted_at: string;
  is_anonymous: boolean;
  is_sso_user: boolean;
  is_super_admin: boolean;
}

type TableName<Database> = keyof RowsOfProject<Database> & string;

/** Columns of a row, and paths into those that hold objects, each with what it is mapped to. */
type Columns<Row, Attributes, Words extends string> = {
  [Column in Exclude<keyof Row & string, Words>]?: Targets<Row[Column], Attributes>;
} & { [Path in `${ObjectColumn<Row>}.${string}`]?: Targets<unknown, Attributes> };

interface ContactWords<Row, Table extends string> {
  sync_as?: 'contacts';
  contact?: ContactLink<keyof Row & string>;
  where?: string;
  attributes?: Readonly<Record<string, Computed<Table>>>;
  base_tables?: readonly Table[];
  every?: string;
}

type ContactTable<Row, Attributes, Table extends string> = ContactWords<Row, Table> &
  Columns<Row, Attributes, keyof ContactWords<Row, Table>>;

/** Properties by the columns of the row, or by their own name where they are made. */
type Properties<Row> = { [Column in keyof Row & string]?: Targets<Row[Column], unknown> | Computed<string> } & {
  [Path in `${ObjectColumn<Row>}.${string}`]?: Targets<unknown, unknown>;
} & { [Name in Uppercase<string>]?: Computed<string> | Targets<unknown, unknown> };

interface EventTable<Row> {
  sync_as: 'events';
  event_name: string;
  operations?: readonly ('insert' | 'update' | 'delete')[];
  contact?: ContactLink<keyof Row & string>;
  when?: string;
  properties?: Properties<Row>;
}

/** `table_mapping`. */
export type TableMapping<Database, Attributes> = {
  [Table in TableName<Database>]?:
    | ContactTable<RowsOfProject<Database>[Table], Attributes, TableName<Database>>
    | EventTable<RowsOfProject<Database>[Table]>;
};

interface UserWords<Table extends string> {
  attributes?: Readonly<Record<string, Computed<Table>>>;
  where?: string;
  unconfirmed?: boolean;
}

type UserMapping<Attributes, Table extends string> = UserWords<Table> &
  Columns<UserRow, Attributes, keyof UserWords<Table>>;

type SystemEvent =
  | `user.${'signed_up' | 'signed_in' | 'updated' | 'deleted'}`
  | `storage.object.${'created' | 'updated' | 'deleted'}`
  | 'auth.user.created';

interface SystemEventOptions {
  event_name?: string;
  when?: string;
  properties?: Readonly<Record<string, unknown>>;
}

interface Connector<Database, Attributes> {
  enabled?: boolean;
  project_url?: string;
  api_key?: string;
  /** `embedded`, or the URL of a Postgres that is not the project. */
  state?: string;
  poll?: string;
  sync?: { users?: boolean; tables?: readonly TableName<Database>[]; storage?: boolean; realtime?: boolean };
  user_mapping?: UserMapping<Attributes, TableName<Database>>;
  table_mapping?: TableMapping<Database, Attributes>;
  events?: readonly SystemEvent[] | { [Name in SystemEvent]?: boolean | string | SystemEventOptions };
  debug?: boolean;
  log_level?: 'error' | 'warn' | 'info' | 'debug' | 'verbose';
  log_queries?: boolean;
  log_realtime?: boolean;
}

interface DestinationEntry<Attributes> {
  type?: string;
  on_delete?: 'delete' | 'unsubscribe' | 'keep';
  topic?: string;
  sandbox?: boolean;
  where?: string;
  create_missing?: boolean | readonly ('fields' | 'lists')[];
  attributes?: {
    only?: readonly Name<Attributes>[];
    drop?: readonly Name<Attributes>[];
    rename?: { [From in Name<Attributes>]?: string };
    retype?: { [From in Name<Attributes>]?: AttributeKind };
  };
  lists?: readonly (number | string)[];
  /** Options of its own: docs/destinations.md. */
  [option: string]: unknown;
}

/** Who is in it, said one way or the other. */
type Membership = { where: string; filter?: never } | { filter: string; where?: never };

type SegmentFrom<Database> = {
  [From in TableName<Database>]: {
    from: From;
    contact?: ContactLink<keyof RowsOfProject<Database>[From] & string>;
  };
}[TableName<Database>];

type Segment<Database> = Membership & { destination?: string; list: number | string } & (
    | { from?: 'users'; contact?: never }
    | SegmentFrom<Database>
  );

type Name<Attributes> = unknown extends Attributes ? string : keyof Attributes & string;

type Brake = 'off' | { share?: string | number; least?: number };

interface WriteBack {
  column?: string;
  app_metadata?: string;
  says?: 'opted_out' | 'opted_in';
  contact?: { user_id?: string; email?: string };
  insert?: boolean;
}

/** What a `rollcall.yaml` holds, as an object. Every text may have `${NAME}` in it. */
export interface RollcallConfig<Database = unknown, Attributes = unknown> {
  environment?: string;
  database_url?: string;
  ssl_root_cert?: string;
  connectors?: { supabase?: Connector<Database, Attributes> };
  table_mapping?: TableMapping<Database, Attributes>;
  destinations?: Readonly<Record<string, DestinationEntry<Attributes>>>;
  segments?: Readonly<Record<string, Segment<Database>>>;
  /** Who may be mailed. There is no default. */
  consent?: 'nobody' | { everyone: string } | { column: string; at?: string; confirmed?: string };
  consent_policy?: 'global' | 'per_destination' | 'per_topic';
  consent_readers?: readonly string[];
  write_back?: WriteBack | readonly WriteBack[];
  delivery?: {
    grace?: string;
    events?: 'at_least_once' | 'at_most_once';
    retry?: { first?: string; factor?: number; longest?: string; window?: string; retry_after_most?: string };
  };
  sweep?: { every?: string };
  brakes?: 'off' | { deletes?: Brake; changes?: Brake };
  wake?: 'notify' | 'poll';
  allow_functions?: readonly string[];
  server?: Readonly<Record<string, unknown>>;
  alerts?: Readonly<Record<string, unknown>>;
  erasure?: Readonly<Record<string, unknown>>;
}

/**
 * A config whose tables, columns and types the compiler checks by the generated types of the project.
 * @typeParam Database what `supabase gen types typescript` gives; any table and column when absent
 * @typeParam Attributes the attributes of contacts with their types, for example `{FIRSTNAME: string; MRR: number}`: then a column
 *   of another type cannot be mapped to them
 * @returns the same object: for `new Rollcall({ config })`, and for `configText`
 */
export function defineConfig<Database = unknown, Attributes = unknown>(
  config: RollcallConfig<Database, Attributes>,
): RollcallConfig<Database, Attributes> {
  return config;
}
