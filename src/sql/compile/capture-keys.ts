import type { RowOperation } from '../../core/mapping.ts';
import { quoteIdent } from '../quote.ts';
import type { RowLink, SourceColumn } from '../source.ts';
import type { CapturePlan, StateRole } from './capture-plan.ts';
import { contactKey } from './link.ts';

// The transition tables go by their own names: a shorter alias could be a column's name too.
export const NEW = 'rollcall_new';
export const OLD = 'rollcall_old';

/** A row constructor takes at most 1,664 values. */
const MOST_VALUES = 1_600;

/** A query of one column `k`: keys of whom the rows of a statement belong to, and belonged to before it; each once, and perhaps a null where the keys are not the rows' own. */
export function keysQuery({ table: { primaryKey } }: CapturePlan, role: StateRole, operation: RowOperation): string {
  if (operation !== 'update') {
    const row = operation === 'insert' ? NEW : OLD;
    return ownKeys(role, primaryKey)
      ? `select ${key(role.links[0], row)} as k from ${row}`
      : distinct(role, [row], row);
  }
  if (primaryKey.length === 0) return touchedQuery(role);
  // Never a nested loop, though the plan is made for the session's first statement, which is a small one: no full join is.
  const rows = `${OLD} full join ${NEW} on ${paired(primaryKey)}`;
  const where = `${unpaired(primaryKey, OLD)} or ${unpaired(primaryKey, NEW)} or ${differs(role.columns)}`;
  return ownKeys(role, primaryKey)
    ? `select coalesce(${key(role.links[0], NEW)}, ${key(role.links[0], OLD)}) as k from ${rows} where ${where}`
    : distinct(role, [NEW, OLD], rows, where);
}

/** The same for an update without looking at what it changed. */
export function touchedQuery(role: StateRole): string {
  return [NEW, OLD].map((row) => `(${distinct(role, [row], row)})`).join(' union ');
}

function distinct(role: StateRole, rows: readonly string[], from: string, where = 'true'): string {
  const keys = rows.flatMap((row) => role.links.map((link) => `(${key(link, row)} collate "C")`));
  return keys.length === 1
    ? `select distinct ${keys.join('')} as k from ${from} where ${where}`
    : `select distinct x.k from ${from} cross join lateral (values ${keys.join(', ')}) as x(k) where ${where}`;
}

function key(link: RowLink | undefined, row: string): string {
  if (link === undefined) return 'null::text';
  return link.via === undefined ? contactKey(link, row) : `${row}.${quoteIdent(link.via.column.name)}::text`;
}

/** Whether each row has a key of its own that never changes while its primary key stays. */
export function ownKeys({ links: [link, ...more] }: StateRole, primaryKey: readonly SourceColumn[]): boolean {
  const user = link?.email === undefined && link?.via === undefined ? link?.user : undefined;
  return more.length === 0 && user?.sqlType === 'uuid' && primaryKey.length === 1 && primaryKey[0]?.name === user.name;
}

/**
 * The join of a row with what it was. An operator of a type that is not Postgres's own (citext, an enum, a domain) may not be
 * found without a search path, so such values are compared as text: at worst the two are seen as another row each.
 */
export function paired(primaryKey: readonly SourceColumn[]): string {
  return primaryKey
    .map(({ name, sqlType }) => {
      const text = sqlType.includes('.') ? '::text' : '';
      return `${OLD}.${quoteIdent(name)}${text} = ${NEW}.${quoteIdent(name)}${text}`;
    })
    .join(' and ');
}

/** Whether the join found no such row. */
export function unpaired([first]: readonly SourceColumn[], row: string): string {
  return first === undefined ? 'true' : `${row}.${quoteIdent(first.name)} is null`;
}

/**
 * Whether a pair differs, by record images: they differ where values that compare equal do (citext, json), and json has no
 * equality at all.
 */
export function differs(columns: readonly string[] | 'all'): string {
  if (columns === 'all' || columns.length > MOST_VALUES) return `${NEW} *<> ${OLD}`;
  const image = (row: string): string => `row(${columns.map((c) => `${row}.${quoteIdent(c)}`).join(', ')})::record`;
  return columns.length === 0 ? 'false' : `${image(NEW)} *<> ${image(OLD)}`;
}
