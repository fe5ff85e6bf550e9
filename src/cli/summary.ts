import type { Config } from '../config/types.ts';
import type { AttributePlan } from '../core/destination.ts';
import type { AttributeMapping, TableName } from '../core/mapping.ts';
import { isSegmentAttribute } from '../core/segments.ts';
import type { Sources } from '../sql/source.ts';
import { consentNotes, describeConsent, describeMembers, describeSource, isAdjusted } from './describe.ts';
import { listSources } from './source-list.ts';

/** An attribute with the mapped table that it is read from. */
interface Mapped {
  readonly attribute: AttributeMapping;
  readonly table: TableName | undefined;
}

/** All attributes in the order of precedence, but what carries segments: of several with one name, the first that has a value gives it. */
export function allAttributes({ tables, userMapping }: Config): readonly Mapped[] {
  return [
    ...tables.flatMap(({ table, attributes }) => attributes.map((attribute) => ({ attribute, table }))),
    ...userMapping.attributes.map((attribute) => ({ attribute, table: undefined })),
  ].filter(({ attribute }) => !isSegmentAttribute(attribute.name));
}

/** What the database says to a config. */
export interface Found {
  readonly sources: Sources;
  /** Type of each attribute. */
  readonly attributes: AttributePlan;
}

/** Something that has no effect, or slows things down; with its place in the config. */
export interface Warning {
  readonly code: string;
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

/** The config's warnings and the database's, in the order of the file. */
export function allWarnings(config: Config, sources: Sources | undefined): readonly Warning[] {
  return [...config.warnings, ...(sources?.warnings ?? [])].toSorted((a, b) => a.line - b.line || a.column - b.column);
}

function destinationSummary({ name, type, onDelete, sandbox, adjustment }: Config['destinations'][number]): object {
  const said = { name, type, on_delete: onDelete, ...(sandbox === undefined ? {} : { sandbox }) };
  if (adjustment === undefined || !isAdjusted(adjustment)) return said;
  const { only, drop, rename, retype, where } = adjustment;
  const types = Object.fromEntries(retype.map((one) => [one.name, one.type]));
  return { ...said, attributes: { only: only ?? null, drop, rename, retype: types }, where: where?.expression ?? null };
}

/** The summary as data, for `--json`. Holds no secrets. `found` is absent when no database was asked. */
export function summaryOf(config: Config, found: Found | undefined): object {
  const { userMapping } = config;
  return {
    file: config.file,
    environment: config.environment,
    hash: config.hash,
    enabled: config.enabled,
    users: config.users,
    destinations: config.destinations.map(destinationSummary),
    address: userMapping.address.join('.'),
    attributes: allAttributes(config).map(({ attribute, table }) => ({
      from: describeSource(attribute, table),
      to: attribute.name,
      type: found?.attributes[attribute.name] ?? attribute.type ?? null,
    })),
    where: userMapping.where?.expression ?? null,
    unconfirmed: userMapping.unconfirmed,
    segments: config.segments.map(({ name, destination, list, ...segment }) => ({
      name,
      destination,
      list,
      members: describeMembers({ name, destination, list, ...segment }),
    })),
    sources: listSources(config, found?.sources),
    consent: config.consent === undefined ? null : describeConsent(config.consent),
    consentNotes: consentNotes(config),
    warnings: allWarnings(config, found?.sources),
  };
}
