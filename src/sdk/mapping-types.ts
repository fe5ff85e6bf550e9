/** What a column can be mapped to, by the type that it has. `Attributes` says what the attributes of contacts are, where somebody does. */

/** `type:` of a target. */
export type AttributeKind = 'text' | 'integer' | 'float' | 'boolean' | 'date' | 'timestamp' | 'json';

type Plain = string | number | boolean;
type IsUnknown<Value> = unknown extends Value ? true : false;

/** What may be said of a value's type: what it can never be is a mistake. */
type KindOf<Value> =
  IsUnknown<Value> extends true
    ? AttributeKind
    : NonNullable<Value> extends string
      ? Exclude<AttributeKind, 'json'>
      : NonNullable<Value> extends number
        ? 'integer' | 'float' | 'text'
        : NonNullable<Value> extends boolean
          ? 'boolean' | 'text'
          : AttributeKind;

/** Transforms of texts. */
type TextTransform = 'lower' | 'trim' | 'e164' | 'date' | { e164: { country_code?: string | number } };
/** Transforms of anything. */
type AnyTransform = { default: Plain } | { map: Readonly<Record<string, Plain>>; else?: Plain } | { template: string };

type TransformOf<Value> =
  IsUnknown<Value> extends true
    ? TextTransform | AnyTransform
    : NonNullable<Value> extends number | boolean
      ? AnyTransform
      : TextTransform | AnyTransform;

/** Names of attributes that can hold a value; any name where nobody says what they are. */
type NameFor<Value, Attributes> =
  IsUnknown<Attributes> extends true
    ? string
    :
        | {
            [Name in keyof Attributes & string]: Fits<Value, Attributes[Name]> extends true ? Name : never;
          }[keyof Attributes & string]
        | (NonNullable<Value> extends string ? 'email' : never);

type Fits<Value, Attribute> =
  IsUnknown<Value> extends true ? true : NonNullable<Value> extends Attribute ? true : false;

type NameOf<Attributes> = IsUnknown<Attributes> extends true ? string : keyof Attributes & string;

/** Options of a target that change no type. */
interface SameType<Value, Attributes> {
  to: NameFor<Value, Attributes>;
  when_null?: 'skip' | 'clear';
}

/** Options of a target that may: then any attribute may be meant. */
interface OtherType<Value, Attributes> {
  to: NameOf<Attributes>;
  transform?: TransformOf<Value> | readonly TransformOf<Value>[];
  type?: KindOf<Value>;
  when_null?: 'skip' | 'clear';
}

type Target<Value, Attributes> =
  | NameFor<Value, Attributes>
  | SameType<Value, Attributes>
  | (OtherType<Value, Attributes> & ({ transform: unknown } | { type: unknown }));

/** What a column is mapped to: a target, or several. */
export type Targets<Value, Attributes> = Target<Value, Attributes> | readonly Target<Value, Attributes>[];

/** How a row leads to its contact: `{user_id: column}`, `{email: column}` or `{table: column}`. */
export type ContactLink<Column extends string> = Readonly<Record<string, Column>>;

interface ComputedOptions {
  transform?: TextTransform | AnyTransform | readonly (TextTransform | AnyTransform)[];
  type?: AttributeKind;
  when_null?: 'skip' | 'clear';
}

/** An attribute made of a constant, of an SQL expression, or of the rows of another table. */
export type Computed<Table extends string> =
  | (ComputedOptions & { const: Plain })
  | (ComputedOptions & {
      sql: string;
      every?: string;
      from?: Table;
      where?: string;
      contact?: Readonly<Record<string, string>>;
      base_tables?: readonly Table[];
    });
