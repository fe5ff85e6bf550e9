/** The mapping model: what the YAML says about a contact, before it is compiled to SQL. Pure data. */

/** The type an attribute has at a destination. `json` stands for objects and arrays. */
export type AttributeType = 'text' | 'integer' | 'float' | 'boolean' | 'date' | 'timestamp' | 'json';

/** Where an attribute's value comes from. */
export type ValueSource =
  | {
      readonly kind: 'column';
      /** The column, then the keys inside it: `['user_metadata', 'address', 'city']`. */
      readonly path: readonly [string, ...string[]];
    }
  | { readonly kind: 'const'; readonly value: string | number | boolean }
  | {
      readonly kind: 'sql';
      /** One SQL expression over the source's allowed columns. */
      readonly expression: string;
      /** Where it reads the clock: how often it is evaluated again, in ms; the default when absent. */
      readonly everyMs?: number | undefined;
    }
  | {
      readonly kind: 'aggregate';
      /** One SQL expression over all rows of `from.table` that belong to the contact, for example `count(*)`. */
      readonly expression: string;
      readonly from: RelatedRows;
      readonly everyMs?: number | undefined;
    };

/** A table of the project: neither `auth` nor ours. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
}

/** A place in the config, for messages. */
export interface MappingPlace {
  /** Dotted path of the entry. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** An SQL condition over the columns of one row. */
export interface Condition {
  readonly expression: string;
  readonly line: number;
  readonly column: number;
}

/** How a row leads to its contact, where the config says so. */
export type ContactLink =
  | {
      readonly kind: 'user';
      /** Holds `auth.users.id`. */
      readonly column: string;
    }
  | { readonly kind: 'email'; readonly column: string }
  | {
      readonly kind: 'table';
      /** A mapped table of contacts. */
      readonly table: TableName;
      /** Holds the primary key of a row there. */
      readonly column: string;
    };

/** What tells of changes to a view, which has no triggers: the tables under it, or a time after which it is read again. */
export interface ViewWatch {
  readonly baseTables: readonly TableName[];
  readonly everyMs: number | undefined;
}

/** Rows that an aggregate is made of. */
export interface RelatedRows extends ViewWatch, MappingPlace {
  readonly table: TableName;
  /** Undefined: found by foreign key, else by the name of a column. */
  readonly link: ContactLink | undefined;
  /** Rows for which it is not true are left out. */
  readonly where: Condition | undefined;
}

/** A table whose rows are contacts, or parts of one. */
export interface ContactTable extends ViewWatch, MappingPlace {
  readonly table: TableName;
  readonly link: ContactLink | undefined;
  /** The column that is mapped to the address, if any. */
  readonly email: string | undefined;
  readonly attributes: readonly AttributeMapping[];
  /** Rows for which it is not true do not count. */
  readonly where: Condition | undefined;
}

export type RowOperation = 'insert' | 'update' | 'delete';

/** A table whose rows are events. */
export interface EventTable extends MappingPlace {
  readonly table: TableName;
  readonly link: ContactLink | undefined;
  /** The event's name at the destinations. */
  readonly name: string;
  readonly operations: readonly RowOperation[];
  /** A property is an attribute of the event. */
  readonly properties: readonly AttributeMapping[];
  /** Over the columns of the row, and those of `old` for what they were before an update. */
  readonly when: Condition | undefined;
}

export const SYSTEM_EVENTS = [
  'user.signed_up',
  'user.signed_in',
  'user.updated',
  'user.deleted',
  'storage.object.created',
  'storage.object.updated',
  'storage.object.deleted',
] as const;
export type SystemEventType = (typeof SYSTEM_EVENTS)[number];

/** An event of Supabase Auth or Storage. */
export interface SystemEvent extends MappingPlace {
  readonly type: SystemEventType;
  /** The event's name at the destinations. */
  readonly name: string;
  /** Undefined: those the event has by itself. */
  readonly properties: readonly AttributeMapping[] | undefined;
  readonly when: Condition | undefined;
}

/** A named transform, applied in order to the value of its attribute. */
export type Transform =
  | { readonly name: 'lower' }
  | { readonly name: 'trim' }
  | {
      readonly name: 'e164';
      /** Calling code put before national numbers (`0151…`), digits only, for example `49`. */
      readonly countryCode?: string | undefined;
    }
  | { readonly name: 'date' }
  | { readonly name: 'default'; readonly value: string | number | boolean }
  | {
      readonly name: 'map';
      readonly values: Readonly<Record<string, string | number | boolean>>;
      /** For values not listed; left as they are when absent. */
      readonly otherwise?: string | number | boolean | undefined;
    }
  | {
      readonly name: 'template';
      /** `{value}` is the value so far; `{path}` is another column or metadata path. A null inside makes the whole null. */
      readonly template: string;
    };

/** What a null value means: `skip` leaves the destination's value alone, `clear` removes it. */
export type NullPolicy = 'skip' | 'clear';

/** One attribute of a contact. */
export interface AttributeMapping {
  /** The attribute's name at the destination. */
  readonly name: string;
  readonly source: ValueSource;
  readonly transforms: readonly Transform[];
  /** Given in the config, else inferred from the source at `apply`. */
  readonly type: AttributeType | undefined;
  readonly onNull: NullPolicy;
  /** Dotted path of this entry in the config, for error messages. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** How rows of `auth.users` become contacts. */
export interface UserMapping {
  /** Column (or path) that holds the address; `['email']` unless mapped otherwise. */
  readonly address: readonly [string, ...string[]];
  readonly attributes: readonly AttributeMapping[];
  /** SQL condition over the allowed columns; rows for which it is not true are no contacts. */
  readonly where: { readonly expression: string; readonly line: number; readonly column: number } | undefined;
  /** Whether addresses nobody has confirmed are sent too. */
  readonly unconfirmed: boolean;
}

/** How the contacts of one destination differ from what the mapping makes of people. All names are those of the mapping. */
export interface Adjustment {
  /** The attributes that go there; undefined: all. */
  readonly only: readonly string[] | undefined;
  /** Attributes that do not go there. */
  readonly drop: readonly string[];
  /** Attribute to the name it has there. */
  readonly rename: Readonly<Record<string, string>>;
  readonly retype: readonly Retype[];
  /** Over the mapped attributes and `email`; people for whom it is not true are no contacts there. */
  readonly where: Condition | undefined;
  /** Attribute of a segment (`segmentAttribute`) to the list of its members there; absent where no segment has one. */
  readonly lists?: Readonly<Record<string, string>> | undefined;
}

/** The type that an attribute has at one destination. */
export interface Retype extends MappingPlace {
  readonly name: string;
  readonly type: AttributeType;
}

/** What may be said about being subscribed. There is no default: the config must choose. */
export type ConsentBasis =
  | {
      readonly kind: 'column';
      /** The mapped table of contacts that the column is in; undefined for `auth.users`. */
      readonly table?: TableName | undefined;
      /** Column or metadata path that is true for people who said yes. */
      readonly path: readonly [string, ...string[]];
      /** Beside it: when they said so. A yes with a date is one that counts, also when it is seen for the first time. */
      readonly at?: readonly [string, ...string[]] | undefined;
      /** Beside it: true, or a time, once they have confirmed it (double opt-in). A yes before that is none. */
      readonly confirmed?: readonly [string, ...string[]] | undefined;
      readonly line: number;
      readonly column: number;
    }
  | {
      readonly kind: 'everyone';
      /** The stated basis, kept in the install's record. */
      readonly basis: string;
    }
  | { readonly kind: 'nobody' };

/**
 * What a delivery may say about consent.
 * - `basis`: the person may be mailed; nothing is said about the subscription.
 * - `none`: no opt-in is known; a request that may create the contact carries the opt-out.
 * - `opted_out`: the person said no; every request carries the opt-out.
 * - `opted_in`: the person said yes after that, and the destination has not been told: the request subscribes. Once it is accepted
 *   this is `basis`, so that nothing later undoes a no that we have not heard of.
 */
export type ConsentState = 'basis' | 'none' | 'opted_out' | 'opted_in';

/** Whom a no at one destination is for: everybody, that destination alone, or whoever mails about the same topic. */
export type ConsentPolicy = 'global' | 'per_destination' | 'per_topic';

/** Where what people have said is written for the app to see. */
export interface WriteBack extends MappingPlace {
  readonly target:
    | {
        readonly kind: 'column';
        readonly table: TableName;
        readonly name: string;
        /** Undefined: that of the table's own mapping, else found as for any table. */
        readonly link: ContactLink | undefined;
        /** Whether a row is added for whom there is none. */
        readonly insert: boolean;
      }
    | { readonly kind: 'app_metadata'; readonly name: string };
  /** What the value true stands for. */
  readonly says: 'opted_out' | 'opted_in';
}
