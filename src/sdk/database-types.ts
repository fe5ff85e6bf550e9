/** Generated types of a Supabase project (`supabase gen types typescript`), by table. */

type RowOf<Table> = Table extends { Row: infer Row } ? Row : never;

type RowsOf<Schema, Kind extends 'Tables' | 'Views'> =
  Schema extends Readonly<Record<Kind, infer All>> ? { [Name in keyof All & string]: RowOf<All[Name]> } : unknown;

type RowsOfSchema<Schema> = RowsOf<Schema, 'Tables'> & RowsOf<Schema, 'Views'>;

/** `schema.table` of every schema. */
type Qualified<Database> = {
  [Schema in keyof Database & string]: `${Schema}.${keyof RowsOfSchema<Database[Schema]> & string}`;
}[keyof Database & string];

type QualifiedRow<Database, Name extends string> = Name extends `${infer Schema}.${infer Table}`
  ? Schema extends keyof Database
    ? Table extends keyof RowsOfSchema<Database[Schema]>
      ? RowsOfSchema<Database[Schema]>[Table]
      : never
    : never
  : never;

/** Table (of `public`), or schema.table, to its row; any table with any row where nothing is known. */
export type RowsOfProject<Database> = unknown extends Database
  ? Readonly<Record<string, Readonly<Record<string, unknown>>>>
  : (Database extends { public: infer Public } ? RowsOfSchema<Public> : unknown) & {
      [Name in Qualified<Database>]: QualifiedRow<Database, Name>;
    };

/** Columns that hold objects, into which a path may lead. */
export type ObjectColumn<Row> = {
  [Column in keyof Row & string]: unknown extends Row[Column]
    ? Column
    : Extract<NonNullable<Row[Column]>, object> extends never
      ? never
      : Column;
}[keyof Row & string];
