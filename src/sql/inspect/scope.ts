import { USER_COLUMNS } from '../../core/user-columns.ts';
import { tableScope } from '../compile/value.ts';
import { quoteIdent, quoteTable } from '../quote.ts';
import type { Shape } from './table.ts';

/** What an expression may read, and what it is evaluated over. */
export interface Scope {
  /** A query of one row or many whose columns are those that may be read, under the names they have there. */
  readonly projection: string;
  /** Name of the row, as SQL. */
  readonly alias: string;
  readonly names: readonly string[];
  /** Columns that are there and not seen: see `Shape`. */
  readonly virtual: readonly string[];
  /** `row`: one value a row. `rows`: one value for all rows. `event`: one value a row, with a second row `old` outside it. */
  readonly over: 'row' | 'rows' | 'event';
}

/** The mappable columns that exist, under their names in the config, as the row `users`. @param columns names in the database */
export function userScope(columns: ReadonlySet<string>, over: Scope['over']): Scope {
  const there = USER_COLUMNS.filter((c) => columns.has(c.sql));
  const list = there.map((c) => `${quoteIdent(c.sql)} as ${quoteIdent(c.name)}`);
  return {
    projection: `select ${list.join(', ')} from auth.users`,
    alias: 'users',
    names: there.map((c) => c.name),
    virtual: [],
    over,
  };
}

/** All columns of a table or view, as a row of its own name. */
export function rowScope({ table, virtual }: Shape, over: 'row' | 'rows'): Scope {
  const names = [...table.columns.keys()];
  return {
    projection: `select ${names.map(quoteIdent).join(', ')} from ${quoteTable(table)}`,
    alias: tableScope(table).alias,
    names,
    virtual,
    over,
  };
}

/** A captured row of a table: each column has been text since, and is cast to its type again. */
export function capturedScope({ table, virtual }: Shape): Scope {
  const list = [...table.columns.values()].map((c) => `null::${c.sqlType} as ${quoteIdent(c.name)}`);
  return {
    projection: `select ${list.join(', ')}`,
    alias: tableScope(table).alias,
    names: [...table.columns.keys()],
    virtual,
    over: 'event',
  };
}
