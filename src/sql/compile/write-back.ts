import type { ConsentBasis, TableName, WriteBack } from '../../core/mapping.ts';
import { dollarQuote, quoteIdent, quoteLiteral, quoteTable } from '../quote.ts';
import type { RowLink, SourceColumn, SourceTable } from '../source.ts';
import { consentOf } from './answer.ts';
import { normalAddress } from './link.ts';

/** Where consent is written, with what the database says of that place. */
export interface WriteBackTarget {
  readonly to: WriteBack;
  /** Undefined for `app_metadata`. */
  readonly column?:
    | { readonly table: SourceTable; readonly link: RowLink; readonly name: string; readonly kind: WrittenKind }
    | undefined;
}

/** What a column can hold of it. */
export type WrittenKind = 'boolean' | 'timestamp' | 'text';

/** The table that is written. */
export function writtenTable({ column }: WriteBackTarget): TableName {
  return column?.table ?? { schema: 'auth', table: 'users' };
}

/** A setting of the transaction: while it is on, what changes in a table is our doing. */
const WRITING = 'rollcall.writing_back';

/** The same, told to whoever reads the WAL: the prefix of a message in it, whose content is `on` or `off`. */
export const WRITING_MESSAGE: string = 'rollcall.writing_back';

function inWal(word: 'on' | 'off'): string {
  return `pg_catalog.pg_logical_emit_message(true, '${WRITING_MESSAGE}', '${word}')`;
}

/** Whether a trigger on the table is to look away, as SQL. */
export const WRITES_BACK: string = `current_setting('${WRITING}', true) = 'on'`;

/** Longest that a row of the app is waited for. */
const WAIT = '100ms';

/**
 * Makes `rollcall.<name>(p_person uuid, p_address text, p_left boolean, p_at timestamptz, p_answer text) returns bigint`: writes what one
 * person has said, and gives how many rows that changed; -1 where the column of the answers itself is written and no longer says what
 * was heard of it. It hides from row security nothing, and raises where that hides rows from it.
 */
export function writeBackFunction(name: string, target: WriteBackTarget, consent: ConsentBasis | undefined): string {
  const body = target.column === undefined ? metadata(target.to, consent) : column(target, target.column, consent);
  return `create or replace function rollcall.${quoteIdent(name)}(p_person uuid, p_address text, p_left boolean, p_at timestamptz, p_answer text)
returns bigint language plpgsql set row_security = off set lock_timeout = ${quoteLiteral(WAIT)} as ${dollarQuote(`declare
  v_rows bigint := 0;
begin
  perform set_config('${WRITING}', 'on', true), ${inWal('on')};
${body}
  perform set_config('${WRITING}', 'off', true), ${inWal('off')};
  return v_rows;
end`)};`;
}

/** Whether true stands for a no. */
function truth({ says }: WriteBack): string {
  return says === 'opted_out' ? 'p_left' : 'not p_left';
}

const COUNT = 'get diagnostics v_rows = row_count;';

function metadata(to: WriteBack, consent: ConsentBasis | undefined): string {
  const key = quoteLiteral(to.target.name);
  const where = 'u.id = p_person';
  const asked = isMetadataAnswer(to, consent) ? clash(`u.raw_app_meta_data ->> ${key}`) : undefined;
  return lines(
    `  update auth.users as u
     set raw_app_meta_data = coalesce(u.raw_app_meta_data, '{}') || pg_catalog.jsonb_build_object(${key}, ${truth(to)})
   where ${where} and (u.raw_app_meta_data -> ${key}) is distinct from pg_catalog.to_jsonb(${truth(to)})${unless(asked)};
  ${COUNT}`,
    asked === undefined ? undefined : answered('auth.users as u', where, asked),
  );
}

function column(
  { to }: WriteBackTarget,
  { table, link, name, kind }: NonNullable<WriteBackTarget['column']>,
  consent: ConsentBasis | undefined,
): string {
  const field = `t.${quoteIdent(name)}`;
  const asked = isAnswer(table, name, consent) ? clash(field) : undefined;
  const value = asked !== undefined && kind === 'text' ? '(not p_left)::text' : valueOf(to, kind);
  const where = rowsOf(link);
  return lines(
    `  update ${quoteTable(table)} as t set ${quoteIdent(name)} = ${value}
   where ${where} and ${differs(field, value, kind)}${unless(asked)};
  ${COUNT}`,
    asked === undefined ? undefined : answered(`${quoteTable(table)} as t`, where, asked),
    to.target.kind === 'column' && to.target.insert ? inserted(table, link, name, value) : undefined,
  );
}

function lines(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join('\n');
}

/** Whether the column is the one that the app's answers are read from. */
export function isAnswer(table: TableName, name: string, consent: ConsentBasis | undefined): boolean {
  if (consent?.kind !== 'column' || consent.path.length !== 1 || consent.path[0] !== name) return false;
  return consent.table?.schema === table.schema && consent.table.table === table.table;
}

/** The same of a key of `app_metadata`. */
export function isMetadataAnswer({ target }: WriteBack, consent: ConsentBasis | undefined): boolean {
  if (target.kind !== 'app_metadata' || consent?.kind !== 'column' || consent.table !== undefined) return false;
  const { path } = consent;
  return path.length === 2 && path[0] === 'app_metadata' && path[1] === target.name;
}

/** Whether the app has answered otherwise since its answer was last heard: that is heard first, and decides. */
function clash(field: string): string {
  const said = consentOf(field);
  return `case when p_left then ${said} = 'basis' and p_answer = 'opted_out' else ${said} <> 'basis' and p_answer = 'basis' end`;
}

function unless(asked: string | undefined): string {
  return asked === undefined ? '' : `\n     and (${asked}) is not true`;
}

/** After a write into the column of the answers: what stands there is known, unless it is another answer. */
function answered(from: string, where: string, asked: string): string {
  return `  if v_rows > 0 then
    perform rollcall.wrote_answer(p_person, p_address, case when p_left then 'opted_out' else 'basis' end);
  elsif exists (select from ${from} where ${where} and ${asked}) then
    perform set_config('${WRITING}', 'off', true);
    return -1;
  end if;`;
}

function valueOf(to: WriteBack, kind: WrittenKind): string {
  if (kind === 'boolean') return truth(to);
  if (kind === 'timestamp') return `case when ${truth(to)} then p_at end`;
  return `case when p_left then 'opted_out' else 'opted_in' end`;
}

/** A time that is there stays: it is when they said so first. */
function differs(field: string, value: string, kind: WrittenKind): string {
  return kind === 'timestamp' ? `(${field} is null) <> ((${value}) is null)` : `${field} is distinct from (${value})`;
}

function rowsOf(link: RowLink): string {
  const ways: string[] = [];
  if (link.user !== undefined) ways.push(`t.${quoteIdent(link.user.name)} = ${userValue(link.user)}`);
  if (link.email !== undefined) {
    const nobodys = link.user === undefined ? '' : `t.${quoteIdent(link.user.name)} is null and `;
    ways.push(`${nobodys}${normalAddress(`t.${quoteIdent(link.email.name)}::text`)} = p_address`);
  }
  return `(${ways.join(' or ')})`;
}

function userValue(column: SourceColumn): string {
  return column.sqlType === 'uuid' ? 'p_person' : 'p_person::text';
}

function inserted(table: SourceTable, link: RowLink, name: string, value: string): string {
  const user = link.user;
  const [to, from, given] =
    user !== undefined
      ? [user.name, userValue(user), 'p_person is not null']
      : [link.email?.name ?? '', 'p_address', 'p_address is not null'];
  return `  if ${given} and not exists (select from ${quoteTable(table)} as t where ${rowsOf(link)}) then
    insert into ${quoteTable(table)} (${quoteIdent(to)}, ${quoteIdent(name)}) values (${from}, ${value}) on conflict do nothing;
    ${COUNT}
  end if;`;
}
