import type { ContactLink } from '../core/mapping.ts';
import { splitDots } from './dotted.ts';
import { readText, showText, wrongType } from './fields.ts';
import type { Issues } from './issues.ts';
import { quote } from './quote.ts';
import { suggestion } from './suggest.ts';
import { LINK_WORDS, type TableIndex } from './table-index.ts';
import { parseTableName } from './table-name.ts';
import { type Entry, isNothing } from './tree.ts';

/** The tables that rows may lead to. */
export interface LinkScope {
  readonly tables: TableIndex;
  /** False in a mapping that is not synced: it may name a table that is not synced either. */
  readonly synced: boolean;
}

const LINK_HINT =
  'Write {user_id: <column>}, {email: <column>}, or {<mapped table of contacts>: <column with its primary key>}.';

/** Reads `contact:`, which says how a row leads to its contact. Undefined when absent or wrong (which is reported). */
export function readLink(entry: Entry | undefined, scope: LinkScope, issues: Issues): ContactLink | undefined {
  if (entry === undefined || isNothing(entry.value)) return undefined;
  const { value } = entry;
  if (value.kind !== 'map') {
    wrongType(value, 'a map', issues, `${LINK_HINT} A column called contact is written \\contact.`);
    return undefined;
  }
  const [way, second] = value.entries.values();
  if (way === undefined || second !== undefined) {
    const message = way === undefined ? 'contact says nothing' : 'contact names one way only';
    issues.error('RC_CONFIG_CONTACT', message, second ?? value, LINK_HINT);
    return undefined;
  }
  if (way.key === 'user_id' || way.key === 'email') {
    const column = readColumnName(way, issues);
    const kind = way.key === 'email' ? 'email' : 'user';
    return column === undefined ? undefined : { kind, column };
  }
  return readTableLink(way, scope, issues);
}

function readTableLink(way: Entry, { tables, synced }: LinkScope, issues: Issues): ContactLink | undefined {
  const name = parseTableName(way.key, way, undefined, issues);
  const column = readColumnName(way, issues);
  if (name === undefined) return undefined;
  const target = tables.find(name);
  const refuse = (message: string, hint: string): undefined => {
    issues.error('RC_CONFIG_CONTACT', message, way, hint);
  };
  if (target?.syncAs !== 'contacts') {
    const hint = suggestion(way.key, [...LINK_WORDS, ...tables.contacts()]);
    return refuse(`${quote(way.key)} is neither user_id, nor email, nor a mapped table of contacts`, hint);
  }
  if (target.indirect) {
    const message = `rows of ${quote(way.key)} lead to a contact by way of a table themselves`;
    return refuse(message, 'Name a table whose rows lead to a user or an address.');
  }
  if (synced && !target.synced) {
    return refuse(`sync.tables leaves ${quote(way.key)} out`, 'List it there, or lead to the contact in another way.');
  }
  return column === undefined ? undefined : { kind: 'table', table: target.name, column };
}

/** The name of a column, never a path. Undefined when it is none (which is reported). */
function readColumnName(entry: Entry, issues: Issues): string | undefined {
  if (isNothing(entry.value)) issues.error('RC_CONFIG_MISSING', 'the column is missing', entry, LINK_HINT);
  const text = readText(entry, issues, 'the name of a column');
  if (text === undefined) return undefined;
  const [name, ...rest] = splitDots(text);
  if (rest.length === 0) return name;
  const message = `${showText(text, entry.value)} is a path, and this must be a column`;
  issues.error('RC_CONFIG_COLUMN_PATH', message, entry.value, 'A dot inside the name of a column is written \\.');
  return undefined;
}
