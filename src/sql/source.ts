import type {
  AttributeMapping,
  AttributeType,
  Condition,
  ContactTable,
  RowOperation,
  TableName,
} from '../core/mapping.ts';
import type { UserSource } from './compile/users.ts';
import type { InspectedExpression } from './compile/value.ts';
import type { WriteBackTarget } from './compile/write-back.ts';

/** What the database says about everything the config reads: made by `inspectSources`, read by the compilers. */
export interface Sources {
  readonly users: UserSource;
  /** In order of precedence, as in the config. Rank 1 is the highest; `auth.users` comes after all. */
  readonly contacts: readonly ContactSource[];
  readonly aggregates: readonly AggregateSource[];
  readonly events: readonly EventSource[];
  /** Shortest time after which something must be evaluated again without a change, in ms; undefined when nothing must. */
  readonly reevaluateMs: number | undefined;
  /** What the database says of a destination's `where`, by the destination's name. */
  readonly adjustments: ReadonlyMap<string, InspectedExpression>;
  /** Attributes that read the clock: see `clockAttributes`. */
  readonly clockAttributes: readonly string[];
  /** Where consent is written. */
  readonly writeBacks: readonly WriteBackTarget[];
  readonly warnings: readonly SourceWarning[];
}

/** Something in the database that makes a part of the config slow or void; with its place in the config. */
export interface SourceWarning {
  readonly code: string;
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

/** A column of a table of the project. */
export interface SourceColumn {
  readonly name: string;
  /** As `format_type` says it, with its schema: what a text can be cast to. Of a domain, the type under it. */
  readonly sqlType: string;
  /** The domain, as `format_type` says it, where the column has one. */
  readonly domain?: string | undefined;
  /** Schema of the operators that sort its type, where they are not Postgres's own (citext). */
  readonly operators?: string | undefined;
  readonly type: AttributeType;
}

/** A table or view of the project. */
export interface SourceTable extends TableName {
  /** `schema.table` as it is, unquoted: its name in `rollcall.sources`. */
  readonly name: string;
  readonly kind: 'table' | 'partitioned' | 'view';
  readonly columns: ReadonlyMap<string, SourceColumn>;
  /** In the key's order; empty for views. */
  readonly primaryKey: readonly SourceColumn[];
}

/**
 * How rows lead to contacts. A row belongs to the user in `user`; when that is null or absent, to the address in `email`;
 * `via` stands alone.
 */
export interface RowLink {
  readonly user?: SourceColumn | undefined;
  readonly email?: SourceColumn | undefined;
  readonly via?: RowLinkVia | undefined;
}

/** The row belongs to the contact of another row. */
export interface RowLinkVia {
  /** Of the row itself. */
  readonly column: SourceColumn;
  readonly target: SourceTable;
  /** Of the other table; equal to `column` for the row meant. */
  readonly targetColumn: SourceColumn;
  /** Never with `via`. */
  readonly link: RowLink;
}

/** A table whose rows are contacts, or parts of one. */
export interface ContactSource {
  readonly table: SourceTable;
  readonly mapping: ContactTable;
  readonly link: RowLink;
  /** 1 is the highest precedence. */
  readonly rank: number;
  /** By the text of the expression; those of `sql:` attributes and `where`, not of aggregates. */
  readonly expressions: ReadonlyMap<string, InspectedExpression>;
  /** For a view: the tables whose triggers tell of its changes. */
  readonly bases: readonly BaseTable[];
}

/** Aggregates over one set of rows: all attributes with the same table, link and condition. */
export interface AggregateSource {
  readonly table: SourceTable;
  readonly link: RowLink;
  readonly where: Condition | undefined;
  readonly attributes: readonly AttributeMapping[];
  /** Of the mapping they stand in; `auth.users` has the number of contact tables plus one. */
  readonly rank: number;
  readonly expressions: ReadonlyMap<string, InspectedExpression>;
  readonly bases: readonly BaseTable[];
}

export interface BaseTable {
  readonly table: SourceTable;
  readonly link: RowLink;
}

/** A table some of whose changes are events. `auth.users` and `storage.objects` too. */
export interface EventSource {
  readonly table: SourceTable;
  readonly link: RowLink;
  readonly types: readonly EventType[];
  /** By the text of the expression; those of `sql:` properties and `when`. */
  readonly expressions: ReadonlyMap<string, InspectedExpression>;
}

export interface EventType {
  readonly name: string;
  readonly operations: readonly RowOperation[];
  /** Our own condition, in SQL over the row and `old`; part of what the event is. */
  readonly condition: string | undefined;
  readonly when: Condition | undefined;
  readonly properties: readonly AttributeMapping[];
  /** True: an update in the transaction that inserted the row is no event of its own. */
  readonly notWithInsert: boolean;
}
