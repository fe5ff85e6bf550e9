import { quote } from '../../config/quote.ts';
import type { Config } from '../../config/types.ts';
import type { AttributeMapping, MappingPlace } from '../../core/mapping.ts';
import { type Place, RollcallError } from '../../core/errors.ts';
import { USER_COLUMNS, userColumn } from '../../core/user-columns.ts';
import { answerPaths } from '../compile/answer.ts';
import { attributeColumns, USERS } from '../compile/value.ts';
import { type Inspection, nearest, refusal } from './context.ts';
import type { Shape } from './table.ts';

/**
 * Checks that every column which the config names, outside its `sql:` expressions, is in this database's `auth.users`.
 * @param columns columns that exist, by their names in the database
 * @throws RollcallError `RC_CONFIG_COLUMN_UNKNOWN` with the place in the config
 */
export function checkColumns(config: Config, columns: ReadonlySet<string>): void {
  const { address, attributes, unconfirmed } = config.userMapping;
  const check = (name: string, place: Place): void => {
    const column = userColumn(name);
    if (columns.has(column?.sql ?? name)) return;
    const known = column === undefined || column.sql === name ? '' : ` (${column.sql} in the database)`;
    throw new RollcallError(
      'RC_CONFIG_COLUMN_UNKNOWN',
      `The table auth.users of this database has no column ${name}${known}, and the mapping needs it.`,
      {
        hint: 'Was it dropped or renamed? Put it back, or take it out of the mapping.',
        place: { file: config.file, ...place },
      },
    );
  };
  const whole: Place = { path: 'user_mapping' };
  check(address[0], whole);
  if (!unconfirmed && address.length === 1 && (address[0] === 'email' || address[0] === 'phone')) {
    check(`${address[0]}_confirmed_at`, whole);
  }
  for (const attribute of attributes) {
    // The columns of an aggregate are those of another table.
    if (attribute.source.kind === 'aggregate') continue;
    const { path, line, column } = attribute;
    for (const name of attributeColumns(attribute, undefined, USERS)) check(name, { path, line, column });
  }
  const { consent } = config;
  if (consent?.kind === 'column' && consent.table === undefined) {
    for (const [name] of answerPaths(consent))
      check(name, { path: 'consent', line: consent.line, column: consent.column });
  }
}

/** The columns that a mapping may name. */
export interface NamedColumns {
  /** Of the table, for messages. */
  readonly name: string;
  readonly names: readonly string[];
  /** Columns that are there and may not be named: see `Shape`. */
  readonly virtual: readonly string[];
  has(name: string): boolean;
  /** Whether a column has places inside it. */
  isJson(name: string): boolean;
}

/** All columns of a table, under their own names. */
export function tableColumns({ table, virtual }: Shape): NamedColumns {
  return {
    name: table.name,
    names: [...table.columns.keys()],
    virtual,
    has: (name) => table.columns.has(name),
    isJson: (name) => /^jsonb?$/.test(table.columns.get(name)?.sqlType ?? ''),
  };
}

/** The columns of `auth.users` that may be mapped, under their names in the config or in the database. @param columns that exist */
export function userColumns(columns: ReadonlySet<string>): NamedColumns {
  const there = USER_COLUMNS.filter((c) => columns.has(c.sql));
  return {
    name: 'auth.users',
    names: there.map((c) => c.name),
    virtual: [],
    has: (name) => there.some((c) => c === userColumn(name)),
    isJson: (name) => userColumn(name)?.type === 'json',
  };
}

/**
 * Checks the columns that an attribute names outside its `sql:` expression.
 * @throws RollcallError `RC_CONFIG_COLUMN_UNKNOWN`, `RC_CONFIG_COLUMN_PATH` (a path into what is not json), `RC_CONFIG_TRANSFORM`
 */
export function checkAttribute(on: Inspection, columns: NamedColumns, attribute: AttributeMapping): void {
  const { source, transforms } = attribute;
  if (source.kind === 'column') checkPath(on, columns, source.path, attribute);
  for (const transform of transforms) {
    if (transform.name !== 'template') continue;
    for (const [, text = ''] of transform.template.matchAll(/\{([^{}]+)\}/g)) {
      if (text === 'value') continue;
      if (source.kind === 'aggregate') {
        const what = `The template of ${quote(attribute.name)} names ${quote(text)}, and an aggregate is of many rows.`;
        throw refusal(on, attribute, 'RC_CONFIG_TRANSFORM', what, 'Here only {value} has a meaning.');
      }
      const [first = '', ...keys] = text.split('.');
      checkPath(on, columns, [first, ...keys], attribute);
    }
  }
}

/**
 * Checks one column, or a path inside it.
 * @throws RollcallError `RC_CONFIG_COLUMN_UNKNOWN`, `RC_CONFIG_COLUMN_PATH`
 */
export function checkPath(
  on: Inspection,
  columns: NamedColumns,
  path: readonly [string, ...string[]],
  place: MappingPlace,
): void {
  const [name, ...keys] = path;
  if (!columns.has(name)) throw unknownColumn(on, columns, name, place);
  if (keys.length > 0 && !columns.isJson(name)) {
    const what = `The column ${quote(name)} of ${columns.name} is not json: nothing lies inside it.`;
    throw refusal(on, place, 'RC_CONFIG_COLUMN_PATH', what, `Map ${quote(name)} itself, or write an sql expression.`);
  }
}

/** What a column is that no mapping can name, and what to do. */
export const VIRTUAL_HINT = 'Make it `stored`, or write what it is generated from as an sql expression.';

/** The error of a column that the config names and that is not there. */
export function unknownColumn(on: Inspection, columns: NamedColumns, name: string, place: MappingPlace): Error {
  const refuse = (what: string, hint: string | undefined): Error =>
    refusal(on, place, 'RC_CONFIG_COLUMN_UNKNOWN', what, hint);
  return columns.virtual.includes(name)
    ? refuse(
        `${columns.name}.${name} is a virtual generated column: Postgres shows its values to no trigger.`,
        VIRTUAL_HINT,
      )
    : refuse(`${columns.name} has no column ${quote(name)}.`, nearest(name, columns.names));
}
