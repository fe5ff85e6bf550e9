import type { RowOperation, SystemEventType, TableName } from '../../core/mapping.ts';
import { quoteIdent } from '../quote.ts';

/** One way in which an event of Supabase Auth or Storage happens to a row. */
export interface SystemEventCase {
  readonly operation: RowOperation;
  /**
   * SQL over the row, under its table's name, and `old`, what it was before an update; both with the database's names of the
   * columns. Undefined: always.
   */
  readonly condition: string | undefined;
  /** True: no event of its own in the transaction that inserted the row. */
  readonly notWithInsert: boolean;
}

/** A property that an event has by itself. */
export interface SystemProperty {
  readonly name: string;
  /** As in the config. */
  readonly path: readonly [string, ...string[]];
  readonly type?: 'integer' | undefined;
}

export interface SystemEventDefinition {
  readonly table: TableName;
  /** Columns without which there is no such event, by their names in the database. */
  readonly needs: readonly string[];
  /** @param has whether the table has a column: older versions of Supabase lack some */
  readonly cases: (has: (column: string) => boolean) => readonly SystemEventCase[];
  /** Those of columns that are there. */
  readonly properties: readonly SystemProperty[];
}

const USERS: TableName = { schema: 'auth', table: 'users' };
const OBJECTS: TableName = { schema: 'storage', table: 'objects' };

/** Columns of `auth.users` whose change is one of the person, and not one of a sign-in or a pending mail. */
const USER_CHANGES = [
  'email',
  'phone',
  'raw_user_meta_data',
  'raw_app_meta_data',
  'role',
  'is_anonymous',
  'banned_until',
];

/**
 * Columns of `storage.objects` that are read at all. Source: Supabase Storage's migrations of the tenant; `archived_at` and
 * `is_delete_marker` came with versioned buckets.
 */
export const OBJECT_COLUMNS: readonly string[] = [
  'id',
  'bucket_id',
  'name',
  'owner',
  'owner_id',
  'created_at',
  'updated_at',
  'last_accessed_at',
  'metadata',
  'version',
  'user_metadata',
  'archived_at',
  'is_delete_marker',
];

const FILE: readonly SystemProperty[] = [
  { name: 'bucket', path: ['bucket_id'] },
  { name: 'path', path: ['name'] },
  { name: 'size', path: ['metadata', 'size'], type: 'integer' },
  { name: 'type', path: ['metadata', 'mimetype'] },
];

/** What each event is, and what it tells by itself. */
export const SYSTEM_EVENT_DEFINITIONS: Readonly<Record<SystemEventType, SystemEventDefinition>> = {
  'user.signed_up': {
    table: USERS,
    needs: [],
    cases: () => [happens('insert', [])],
    properties: [{ name: 'provider', path: ['app_metadata', 'provider'] }],
  },
  'user.signed_in': {
    table: USERS,
    needs: ['last_sign_in_at'],
    cases: () => [happens('update', ['users.last_sign_in_at is not null', differs('users', ['last_sign_in_at'])])],
    properties: [],
  },
  'user.updated': {
    table: USERS,
    needs: [],
    // A soft deletion overwrites address and metadata.
    cases: (has) => [
      {
        ...happens('update', [
          differs('users', USER_CHANGES.filter(has)),
          ...(has('deleted_at') ? ['not (users.deleted_at is not null and old.deleted_at is null)'] : []),
        ]),
        notWithInsert: true,
      },
    ],
    properties: [],
  },
  'user.deleted': {
    table: USERS,
    needs: [],
    // Who was deleted softly before is not deleted again.
    cases: (has) =>
      has('deleted_at')
        ? [
            happens('delete', ['users.deleted_at is null']),
            happens('update', ['users.deleted_at is not null', 'old.deleted_at is null']),
          ]
        : [happens('delete', [])],
    properties: [],
  },
  'storage.object.created': {
    table: OBJECTS,
    needs: ['bucket_id', 'name'],
    cases: (has) => [happens('insert', has('is_delete_marker') ? ['not objects.is_delete_marker'] : [])],
    properties: FILE,
  },
  'storage.object.updated': {
    table: OBJECTS,
    needs: ['bucket_id', 'name'],
    cases: (has) => [
      {
        ...happens('update', [
          differs('objects', ['name', 'bucket_id', 'version', 'metadata'].filter(has)),
          ...(has('is_delete_marker') ? ['not objects.is_delete_marker'] : []),
        ]),
        notWithInsert: true,
      },
    ],
    properties: FILE,
  },
  'storage.object.deleted': {
    table: OBJECTS,
    needs: ['bucket_id', 'name'],
    // In a versioned bucket a deleted object becomes a marker; what goes later are its former versions, or the marker.
    cases: (has) =>
      has('is_delete_marker')
        ? [
            happens('delete', [
              'not objects.is_delete_marker',
              ...(has('archived_at') ? ['objects.archived_at is null'] : []),
            ]),
            happens('insert', ['objects.is_delete_marker']),
            happens('update', ['objects.is_delete_marker', 'not old.is_delete_marker']),
          ]
        : [happens('delete', [])],
    properties: FILE,
  },
};

function happens(operation: RowOperation, conditions: readonly string[]): SystemEventCase {
  const condition = conditions.length === 0 ? undefined : conditions.join(' and ');
  return { operation, condition, notWithInsert: false };
}

function differs(alias: string, columns: readonly string[]): string {
  const row = (of: string): string => `row(${columns.map((c) => `${of}.${quoteIdent(c)}`).join(', ')})`;
  return `${row(alias)} is distinct from ${row('old')}`;
}
