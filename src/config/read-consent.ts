import type { ConsentBasis } from '../core/mapping.ts';
import { parseColumn } from './column-path.ts';
import { splitDots } from './dotted.ts';
import { checkKeys, readText, showText, wrongType } from './fields.ts';
import type { Issues } from './issues.ts';
import { quote } from './quote.ts';
import { suggestion } from './suggest.ts';
import type { MappedTable, TableIndex } from './table-index.ts';
import { type Entry, isNothing, type MapNode } from './tree.ts';

const CONSENT_KEYS: readonly string[] = ['column', 'everyone', 'at', 'confirmed'];

/** The three things `consent` can say, for every message about it. */
export const CONSENT_CHOICES =
  'Say one: {column: user_metadata.marketing_opt_in} (people for whom it is true), {everyone: "<the stated basis>"}, or nobody (until an opt-in).';

/**
 * Reads `consent:`. The first part of a column may name a mapped table of contacts, else it is one of `auth.users`. Undefined
 * when absent or wrong (which is reported). There is no default.
 */
export function readConsent(entry: Entry | undefined, tables: TableIndex, issues: Issues): ConsentBasis | undefined {
  if (entry === undefined || isNothing(entry.value)) return undefined;
  const node = entry.value;
  if (node.kind === 'scalar' && typeof node.value === 'string') {
    if (node.value === 'nobody') return { kind: 'nobody' };
    if (node.value === 'everyone') {
      const hint = 'For example {everyone: "customers, soft opt-in at checkout"}.';
      issues.error('RC_CONFIG_CONSENT', 'everyone needs a stated basis', node, hint);
      return undefined;
    }
    const near = node.fromEnv ? '' : `${suggestion(node.value, ['nobody', 'everyone', 'column'])} `;
    issues.error(
      'RC_CONFIG_CONSENT',
      `consent can't be ${showText(node.value, node)}`,
      node,
      `${near}${CONSENT_CHOICES}`,
    );
    return undefined;
  }
  if (node.kind !== 'map') {
    wrongType(node, 'nobody, {column: …} or {everyone: …}', issues, CONSENT_CHOICES);
    return undefined;
  }
  checkKeys(node, CONSENT_KEYS, issues);
  const column = node.entries.get('column');
  const everyone = node.entries.get('everyone');
  if (column !== undefined && everyone !== undefined) {
    issues.error('RC_CONFIG_CONSENT', 'consent says two things', everyone, CONSENT_CHOICES);
    return undefined;
  }
  const beside = ['at', 'confirmed'].flatMap((key) => node.entries.get(key) ?? []);
  const [alone] = beside;
  if (column === undefined && alone !== undefined) {
    issues.error('RC_CONFIG_CONSENT', `${alone.key} is for a column that says yes or no`, alone, CONSENT_CHOICES);
    return undefined;
  }
  if (everyone !== undefined) return readEveryone(everyone, issues);
  return column === undefined ? nothingSaid(node, issues) : readAnswer(column, beside, tables, issues);
}

type ColumnBasis = ConsentBasis & { readonly kind: 'column' };

/** The column with the answer, and those beside it that say when it was given and whether it was confirmed. */
function readAnswer(
  entry: Entry,
  beside: readonly Entry[],
  tables: TableIndex,
  issues: Issues,
): ConsentBasis | undefined {
  const basis = readColumn(entry, tables, issues);
  const found: Partial<Record<string, ColumnBasis['path']>> = {};
  for (const item of beside) {
    const other = readColumn(item, tables, issues);
    if (other === undefined || basis === undefined) continue;
    const here = JSON.stringify(basis.table ?? null) === JSON.stringify(other.table ?? null);
    if (here) found[item.key] = other.path;
    else
      issues.error(
        'RC_CONFIG_CONSENT',
        `${item.key} is in another table than the answer`,
        item.value,
        'Name a column of the same table.',
      );
  }
  return basis && { ...basis, at: found['at'], confirmed: found['confirmed'] };
}

function nothingSaid(node: MapNode, issues: Issues): undefined {
  if (node.entries.size === 0) issues.error('RC_CONFIG_CONSENT', 'consent says nothing', node, CONSENT_CHOICES);
}

function readEveryone(entry: Entry, issues: Issues): ConsentBasis | undefined {
  if (isNothing(entry.value)) {
    issues.error('RC_CONFIG_CONSENT', 'everyone needs a stated basis', entry, CONSENT_CHOICES);
    return undefined;
  }
  const basis = readText(entry, issues, 'the stated basis, as text');
  return basis === undefined ? undefined : { kind: 'everyone', basis: basis.trim() };
}

function readColumn(entry: Entry, tables: TableIndex, issues: Issues): ColumnBasis | undefined {
  if (isNothing(entry.value)) {
    issues.error('RC_CONFIG_CONSENT', 'the column is missing', entry, CONSENT_CHOICES);
    return undefined;
  }
  const { value } = entry;
  const text = readText(entry, issues, 'a column or a metadata path');
  if (text === undefined) return undefined;
  const inTable = findTable(text, tables);
  if (inTable !== undefined) return readTableColumn(inTable, entry, issues);
  const column = parseColumn(text);
  if (!column.ok) {
    const hidden = value.kind === 'scalar' && value.fromEnv;
    const message = hidden ? `${showText(text, value)} is no column that may be mapped` : column.message;
    const known = hidden || column.hint === undefined ? [] : [column.hint];
    const unknown = column.code === 'RC_CONFIG_COLUMN_UNKNOWN';
    const hint = [...known, ...(unknown ? ['A column of a mapped table is written table.column.'] : [])].join(' ');
    issues.error(column.code, message, value, hint === '' ? undefined : hint);
    return undefined;
  }
  if (column.type === 'json' && column.path.length === 1) {
    const message = `${showText(text, value)} holds many values: name the one that says yes`;
    const hint = `For example ${column.path[0]}.marketing_opt_in.`;
    issues.error('RC_CONFIG_COLUMN_PATH', message, value, hint);
    return undefined;
  }
  return { kind: 'column', path: column.path, ...value.at };
}

interface TableColumn {
  readonly table: MappedTable;
  readonly path: readonly [string, ...string[]];
}

/** A column of a mapped table, as `table.column` or `schema.table.column`. */
function findTable(text: string, tables: TableIndex): TableColumn | undefined {
  const [first, second, third, ...rest] = splitDots(text);
  if (second === undefined) return undefined;
  const whole = third === undefined ? undefined : tables.find({ schema: first, table: second });
  if (whole !== undefined && third !== undefined) return { table: whole, path: [third, ...rest] };
  const table = tables.find({ schema: 'public', table: first });
  return table && { table, path: [second, ...(third === undefined ? [] : [third, ...rest])] };
}

function readTableColumn({ table, path }: TableColumn, { value }: Entry, issues: Issues): ColumnBasis | undefined {
  const name = quote(table.entry.key);
  if (path.includes('')) {
    issues.error('RC_CONFIG_COLUMN_PATH', 'this is no column path: there is nothing between two dots', value);
  } else if (table.syncAs !== 'contacts') {
    const hint = 'Name a column of a table of contacts, or of auth.users.';
    issues.error('RC_CONFIG_CONSENT', `the rows of ${name} are events, and no contact has their columns`, value, hint);
  } else if (!table.synced) {
    issues.error('RC_CONFIG_CONSENT', `sync.tables leaves ${name} out`, value, 'List it there.');
  } else {
    return { kind: 'column', table: table.name, path, ...value.at };
  }
  return undefined;
}
