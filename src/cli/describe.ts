import type { Config } from '../config/types.ts';
import type {
  Adjustment,
  AttributeMapping,
  ConsentBasis,
  ConsentPolicy,
  ContactLink,
  TableName,
} from '../core/mapping.ts';
import type { Segment } from '../core/segments.ts';
import type { RowLink } from '../sql/source.ts';
import { cut } from './layout.ts';

/** A table as the config may write it: without its schema when that is `public`. */
export function tableText({ schema, table }: TableName): string {
  return schema === 'public' ? table : `${schema}.${table}`;
}

/**
 * Where an attribute's value comes from, in a few words: `user_metadata.full_name`, `constant "supabase"`, `sql: …`.
 * @param table the mapped table that it is read from; undefined for `auth.users`, and where it goes without saying
 */
export function describeSource({ source, transforms }: AttributeMapping, table?: TableName): string {
  const of = table === undefined ? '' : tableText(table);
  const through = transforms.length === 0 ? '' : ` (${transforms.map((t) => t.name).join(', ')})`;
  const inside = of === '' ? '' : `${of}: `;
  switch (source.kind) {
    case 'column':
      return cut([...(of === '' ? [] : [of]), ...source.path].join('.'), WIDEST) + through;
    case 'const':
      return cut(`${inside}constant ${JSON.stringify(source.value)}`, WIDEST) + through;
    case 'sql':
      return cut(`${inside}sql: ${oneLine(source.expression)}`, WIDEST) + through;
    case 'aggregate': {
      const from = ` from ${tableText(source.from.table)}`;
      return cut(`sql: ${oneLine(source.expression)}`, Math.max(SHORTEST, WIDEST - from.length)) + from + through;
    }
  }
}

const WIDEST = 36;
const SHORTEST = 16;

/** How contacts at one destination differ from the mapping: `FULL_NAME as FIRSTNAME, MRR as text; without AVATAR; only where …`. */
export function describeAdjustment({ only, drop, rename, retype, where }: Adjustment): string {
  const changed = [
    ...Object.entries(rename).map(([name, to]) => `${name} as ${to}`),
    ...retype.map(({ name, type }) => `${name} as ${type}`),
  ];
  return [
    ...(only === undefined ? [] : [only.length === 0 ? 'no attributes' : `only ${only.join(', ')}`]),
    ...(drop.length === 0 ? [] : [`without ${drop.join(', ')}`]),
    ...(changed.length === 0 ? [] : [changed.join(', ')]),
    ...(where === undefined ? [] : [`those for whom ${oneLine(where.expression)}`]),
  ].join('; ');
}

/** Whether a destination's config says anything that `describeAdjustment` tells; segments are told by themselves. */
export function isAdjusted({ only, drop, rename, retype, where }: Adjustment): boolean {
  return only !== undefined || where !== undefined || drop.length + retype.length + Object.keys(rename).length > 0;
}

/** Who is in a segment: `users with user_metadata->>plan=eq.pro`. */
export function describeMembers(segment: Segment): string {
  return `${segmentSource(segment)} with ${segment.filter ?? oneLine(segment.where.expression)}`;
}

/** A segment in a line: `pro: users with plan=eq.pro, on "Pro users" at brevo`. */
export function describeSegment(segment: Segment): string {
  return `${segment.name}: ${describeMembers(segment)}, on ${describeList(segment)}`;
}

/** A segment's list: `"Pro users" at brevo`. */
export function describeList({ list, destination }: Segment): string {
  return `${typeof list === 'number' ? `list ${list}` : JSON.stringify(list)} at ${destination}`;
}

/** Whose rows a segment looks at. */
export function segmentSource({ from }: Segment): string {
  return from.kind === 'users' ? 'users' : tableText(from.table);
}

/** SQL as it fits into a line of text. */
export function oneLine(sql: string): string {
  return sql.trim().replaceAll(/\s+/g, ' ');
}

/** How a row leads to its contact, as the database has it: `user_id`, `user_id, else email`, `customer_id -> customers`. */
export function describeLink({ user, email, via }: RowLink): string {
  if (via !== undefined) return `${via.column.name} -> ${tableText(via.target)}`;
  return [user, email].flatMap((column) => (column === undefined ? [] : [column.name])).join(', else ');
}

/**
 * The same as the config has it; undefined where only the database tells.
 * @param email the column that is mapped to the address, if any
 */
export function describeNamedLink(link: ContactLink | undefined, email?: string): string | undefined {
  switch (link?.kind) {
    case undefined:
      return undefined;
    case 'user':
      return [link.column, ...(email === undefined ? [] : [email])].join(', else ');
    case 'email':
      return link.column;
    case 'table':
      return `${link.column} -> ${tableText(link.table)}`;
  }
}

/** What the config says about consent, as the end of a sentence. */
export function describeConsent(consent: ConsentBasis | undefined): string {
  switch (consent?.kind) {
    case undefined:
      return 'not stated';
    case 'nobody':
      return 'nobody is subscribed until an opt-in';
    case 'everyone':
      return `everyone may be mailed, on this basis: ${consent.basis}`;
    case 'column': {
      const of = (path: readonly string[]): string =>
        consent.table === undefined ? path.join('.') : `${tableText(consent.table)}.${path.join('.')}`;
      const confirmed = consent.confirmed === undefined ? '' : `, once ${of(consent.confirmed)} confirms it`;
      return `people whose ${of(consent.path)} is true${confirmed}`;
    }
  }
}

const POLICIES: Readonly<Record<ConsentPolicy, string>> = {
  global: 'who leaves one destination leaves all',
  per_destination: 'who leaves one destination leaves that one',
  per_topic: 'who leaves one destination leaves those with the same topic',
};

/** Whom a no is for, and where it is written; nothing of what is as it is by default. */
export function consentNotes({ consentPolicy, writeBacks }: Pick<Config, 'consentPolicy' | 'writeBacks'>): string[] {
  const written = writeBacks.map(({ target, says }) => {
    const place =
      target.kind === 'column' ? `${tableText(target.table)}.${target.name}` : `app_metadata.${target.name}`;
    return says === 'opted_out' ? place : `${place} (true: opted in)`;
  });
  return [
    ...(consentPolicy === 'global' ? [] : [POLICIES[consentPolicy]]),
    ...(written.length === 0 ? [] : [`written to ${written.join(', ')}`]),
  ];
}
