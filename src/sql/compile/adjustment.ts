import { RollcallError } from '../../core/errors.ts';
import type { AttributePlan } from '../../core/destination.ts';
import type { Adjustment, AttributeType } from '../../core/mapping.ts';
import { isSegmentAttribute, LISTS_KEY } from '../../core/segments.ts';
import { dollarQuote, quoteIdent, quoteLiteral, quoteTexts } from '../quote.ts';
import { cast, jsonArgument, type SqlValue } from './value.ts';

/** The row that a destination's condition sees. */
export const CONTACT = 'contact';

/** Postgres cuts longer names off. */
const LONGEST_COLUMN = 63;

/** A column of the row `contact`. */
export interface ContactColumn {
  readonly name: string;
  /** The attribute it stands for; undefined for the address. */
  readonly attribute: string | undefined;
  readonly type: AttributeType;
}

const SQL_TYPES: Readonly<Record<AttributeType, string>> = {
  text: 'text',
  integer: 'bigint',
  float: 'numeric',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'timestamptz',
  json: 'jsonb',
};

/**
 * The columns of the row `contact`: `email`, and every attribute under its name and, where no other has that, under its name in
 * lower case, as SQL writes `PLAN` without quotes. A name too long for a column has none.
 */
export function contactColumns(plan: AttributePlan): readonly ContactColumn[] {
  const columns = new Map<string, ContactColumn>([['email', { name: 'email', attribute: undefined, type: 'text' }]]);
  const names = Object.keys(plan).filter(
    (name) => Buffer.byteLength(name) <= LONGEST_COLUMN && !isSegmentAttribute(name),
  );
  for (const name of names) columns.set(name, { name, attribute: name, type: plan[name] ?? 'text' });
  for (const name of names) {
    const lower = name.toLowerCase();
    if (columns.has(lower) || names.some((other) => other !== name && other.toLowerCase() === lower)) continue;
    columns.set(lower, { name: lower, attribute: name, type: plan[name] ?? 'text' });
  }
  return [...columns.values()];
}

/** A row `contact` without a value, for the inspection of a condition. */
export function contactProjection(columns: readonly ContactColumn[]): string {
  return `select ${columns.map(({ name, type }) => `null::${SQL_TYPES[type]} as ${quoteIdent(name)}`).join(', ')}`;
}

/** Names of attributes as they are at a destination; those that do not go there are left out. */
export function adjustedNames(names: readonly string[], adjustment: Adjustment | undefined): readonly string[] {
  if (adjustment === undefined) return names;
  const { only, drop, rename } = adjustment;
  return names
    .filter((name) => only?.includes(name) !== false && !drop.includes(name) && !isSegmentAttribute(name))
    .map((name) => (Object.hasOwn(rename, name) ? (rename[name] ?? name) : name));
}

/** Members of a destination's payload that are made of some attributes: `adjustedNames`, and the lists where segments are among them. */
export function payloadNames(names: readonly string[], adjustment: Adjustment | undefined): readonly string[] {
  const lists = names.some((name) => Object.hasOwn(adjustment?.lists ?? {}, name));
  return [...adjustedNames(names, adjustment), ...(lists ? [LISTS_KEY] : [])];
}

/** What a type can become: a value of it as text is, or may be, one of the other. */
const RETYPES: Readonly<Record<AttributeType, readonly AttributeType[]>> = {
  text: ['integer', 'float', 'boolean', 'date', 'timestamp', 'json'],
  integer: ['text', 'float', 'boolean', 'json'],
  float: ['text', 'integer', 'json'],
  boolean: ['text', 'json'],
  date: ['text', 'timestamp', 'json'],
  timestamp: ['text', 'date', 'json'],
  json: ['text', 'integer', 'float', 'boolean', 'date', 'timestamp'],
};

/**
 * The attributes of a destination with their types there.
 * @param plan those of the mapping
 * @throws RollcallError `RC_ATTRIBUTE_RETYPE` with the place in the config
 */
export function adjustedPlan(plan: AttributePlan, adjustment: Adjustment | undefined, file: string): AttributePlan {
  if (adjustment === undefined) return plan;
  for (const { name, type, ...at } of adjustment.retype) {
    const from = plan[name] ?? 'text';
    if (from === type || RETYPES[from].includes(type)) continue;
    throw new RollcallError('RC_ATTRIBUTE_RETYPE', `The attribute ${name} is ${from}, and no ${from} can be ${type}.`, {
      hint: `It can be ${RETYPES[from].join(', ')}; or give it another type in the mapping.`,
      place: { file, ...at },
    });
  }
  const types = new Map(adjustment.retype.map(({ name, type }) => [name, type]));
  return Object.fromEntries(
    Object.entries(plan).flatMap(([name, type]) => {
      const [there] = adjustedNames([name], adjustment);
      return there === undefined ? [] : [[there, types.get(name) ?? type]];
    }),
  );
}

/** What a destination makes of contacts, ready to be compiled. */
export interface CompiledAdjustment {
  readonly adjustment: Adjustment;
  /** The mapping's attributes. */
  readonly plan: AttributePlan;
}

/**
 * Whether a contact is one at the destination, as SQL of a boolean.
 * @param payload SQL of its mapped attributes as jsonb
 * @param address SQL of its address
 */
export function holds({ adjustment, plan }: CompiledAdjustment, address: string, payload: string): string {
  const { where } = adjustment;
  if (where === undefined) return 'true';
  const list = contactColumns(plan).map(
    ({ name, attribute, type }) =>
      `${attribute === undefined ? address : attributeOf(attribute, type, payload)} as ${quoteIdent(name)}`,
  );
  return `(select (${where.expression}\n) is true from (select ${list.join(', ')}) as ${CONTACT})`;
}

/** The payload that goes to the destination, as SQL of a jsonb. @param payload as above */
export function adjustedPayload({ adjustment, plan }: CompiledAdjustment, payload: string): string {
  const types = new Map(adjustment.retype.map(({ name, type }) => [name, type]));
  const gone: string[] = [];
  const added: string[] = [];
  for (const [name, type] of Object.entries(plan)) {
    const [there] = adjustedNames([name], adjustment);
    const wanted = types.get(name) ?? type;
    if (there === name && wanted === type) continue;
    gone.push(name);
    if (there !== undefined) added.push(member(name, { there, type, wanted }, payload));
  }
  const lists = Object.entries(adjustment.lists ?? {});
  if (lists.length > 0) added.push(listsOf(lists, payload));
  if (gone.length === 0) return payload;
  return [`(${payload} - ${quoteTexts(gone)})`, ...added].join('\n         || ');
}

/** The lists of the segments that a contact is in; nothing where it is in none. @param lists attribute of the segment, and its list */
function listsOf(lists: readonly (readonly [string, string])[], payload: string): string {
  const members = lists.map(([name, list]) => `(${quoteLiteral(name)}, ${quoteLiteral(list)})`).join(', ');
  return `coalesce((select jsonb_build_object(${quoteLiteral(LISTS_KEY)}, jsonb_object_agg(l.list, true))
           from (values ${members}) as l(attribute, list) where ${payload} -> l.attribute = 'true'::jsonb having count(*) > 0), '{}'::jsonb)`;
}

/** An attribute under its name and with its type there; a null stays one, and what is absent stays absent. */
function member(
  name: string,
  { there, type, wanted }: { readonly there: string; readonly type: AttributeType; readonly wanted: AttributeType },
  payload: string,
): string {
  const [key, to] = [quoteLiteral(name), quoteLiteral(there)];
  const value = `${payload} -> ${key}`;
  // A value in JSON is one already, in the form it has everywhere else.
  if (type === wanted || wanted === 'json') {
    return `case when ${payload} ? ${key} then jsonb_build_object(${to}, ${value}) else '{}'::jsonb end`;
  }
  const made = jsonArgument(cast({ sql: attributeOf(name, type, payload), type }, wanted));
  return `case when ${value} = 'null'::jsonb then jsonb_build_object(${to}, null)
           else coalesce((select jsonb_build_object(${to}, m.v) from (select ${made} as v offset 0) as m where m.v is not null), '{}'::jsonb) end`;
}

/** An attribute of a payload as a value of its type. */
function attributeOf(name: string, type: AttributeType, payload: string): SqlValue['sql'] {
  const key = quoteLiteral(name);
  if (type === 'json') return `nullif(${payload} -> ${key}, 'null'::jsonb)`;
  return type === 'text' ? `(${payload} ->> ${key})` : `(${payload} ->> ${key})::${SQL_TYPES[type]}`;
}

/**
 * The function that makes of contacts what one destination takes: `rollcall.<name>(p_addresses text[], p_payloads jsonb[]) returns
 * setof rollcall.adjusted`, one row each. Only `rollcall.adjust_contacts` calls it, which fixes the settings of the session.
 */
export function adjustFunction(name: string, of: CompiledAdjustment): string {
  return `create or replace function rollcall.${quoteIdent(name)}(p_addresses text[], p_payloads jsonb[]) returns setof rollcall.adjusted
language plpgsql as ${dollarQuote(`#variable_conflict use_column
begin
  return query
  select rollcall_r.n, rollcall_w.holds, case when rollcall_w.holds then ${adjustedPayload(of, 'rollcall_r.payload')} end
    from unnest(p_addresses, p_payloads) with ordinality as rollcall_r(address, payload, n)
    cross join lateral (select ${holds(of, 'rollcall_r.address', 'rollcall_r.payload')} as holds offset 0) as rollcall_w;
end`)};`;
}
