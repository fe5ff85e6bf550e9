import { dollarQuote, quoteIdent, quoteLiteral } from '../quote.ts';
import type { RowLink, SourceColumn, Sources } from '../source.ts';
import type { CapturePlan, StateRole } from './capture-plan.ts';
import { contactKey, linkColumns } from './link.ts';

/** How the rows of one table are read from the WAL, as `rollcall.sources.wal` has it. */
export interface WalPlan {
  /** Columns of the primary key. */
  readonly key: readonly string[];
  readonly states: readonly WalState[];
  readonly events: WalEvents | null;
  /** Columns whose former values are needed when a row changes or goes. */
  readonly identity: readonly string[];
  /** All of them are. */
  readonly full: boolean;
}

/** Whose contacts a row tells of. */
export interface WalState {
  /** The log's name for its keys; null for those of contacts. */
  readonly log: string | null;
  /** The function that makes keys of the link's values; null where the one value is the key. */
  readonly function: string | null;
  /** Where the value is the key of a contact: that of a user, so it is a UUID. */
  readonly uuid: boolean;
  readonly links: readonly string[];
  /** A change of any other column is none; null for all. */
  readonly watched: readonly string[] | null;
}

/** What is captured of a row that is an event. */
export interface WalEvents {
  readonly columns: readonly string[];
  readonly operations: readonly string[];
  /** What we write into the table ourselves is no event. */
  readonly quiet: boolean;
  /** What may be taken when the columns no longer fit; null for all. */
  readonly whole: readonly string[] | null;
  /** An update in the transaction that inserted the row has to be told from others. */
  readonly fresh: boolean;
}

/** The plans of all tables by their name, and the functions they call. */
export interface WalPlans {
  readonly plans: ReadonlyMap<string, WalPlan>;
  readonly functions: readonly { readonly name: string; readonly sql: string }[];
}

/** Makes of what triggers would capture what is read from the WAL instead. */
export function walPlans(captured: readonly CapturePlan[], sources: Pick<Sources, 'events'>): WalPlans {
  const functions: { name: string; sql: string }[] = [];
  const plans = captured.map((plan) => {
    const { table, events } = plan;
    const states = plan.states.map((role): WalState => {
      const plain = plainRole(role);
      const name = plain ? null : `wal_keys_${functions.length + 1}`;
      if (name !== null) functions.push({ name, sql: keysFunction(name, role) });
      return {
        log: role.source,
        function: name,
        uuid: plain && role.source === null,
        links: [...new Set(role.links.flatMap(linkColumns))],
        watched: role.columns === 'all' ? null : role.columns,
      };
    });
    const own = sources.events.filter((source) => source.table.name === table.name);
    const made: WalPlan = {
      key: table.primaryKey.map(({ name }) => name),
      states,
      events:
        events === undefined
          ? null
          : {
              columns: events.columns,
              operations: events.operations,
              quiet: events.writtenBack,
              whole: events.wholeRows === true ? null : events.wholeRows,
              fresh: own.some(({ types }) => types.some((type) => type.notWithInsert)),
            },
      identity: [...new Set(states.flatMap(({ links }) => links))],
      full: events?.operations.some((operation) => operation !== 'insert') ?? false,
    };
    return [table.name, made] as const;
  });
  return { plans: new Map(plans), functions };
}

/** `rollcall.<name>(p_rows jsonb) returns text[]`: contacts' keys of the links' values as the WAL has them, as text. */
function keysFunction(name: string, { links }: StateRole): string {
  const columns = new Map(
    links.flatMap(({ user, email }) => [user, email].flatMap((c) => (c === undefined ? [] : [[c.name, c] as const]))),
  );
  const values = [...columns.values()].map((column) => `${textOf(column)} as ${quoteIdent(column.name)}`);
  const keys = links.map((link) => `(${contactKey(asText(link), 'rollcall_r')})`);
  return `create or replace function rollcall.${name}(p_rows jsonb) returns text[]
language sql stable set search_path = '' as ${dollarQuote(`
  select array_agg(distinct x.k) from jsonb_array_elements(p_rows) as rollcall_e
    cross join lateral (select ${values.join(', ')} offset 0) as rollcall_r
    cross join lateral (values ${keys.join(', ')}) as x(k) where x.k is not null
`)};`;
}

/** A value may be of another type by now: whether it is a UUID is looked at. */
function asText({ user, email }: RowLink): RowLink {
  return {
    ...(user === undefined ? {} : { user: { ...user, sqlType: 'text' } }),
    ...(email === undefined ? {} : { email }),
  };
}

/** Blanks that fill up `character(n)` are none of the value, as in its own cast to text. */
function textOf({ name, sqlType }: SourceColumn): string {
  const value = `(rollcall_e ->> ${quoteLiteral(name)})`;
  return /^character(\(|$)/.test(sqlType) ? `${value}::pg_catalog.bpchar::text` : value;
}

/** Whether the value of one column is the key as it is: a user's id, or a key that leads through another table. */
function plainRole({ links: [link, ...more], source }: StateRole): boolean {
  if (link === undefined || more.length > 0) return false;
  if (source !== null) return link.via !== undefined;
  return link.email === undefined && link.user?.sqlType === 'uuid';
}
