import { createHash } from 'node:crypto';
import type { Destination } from '../core/destination.ts';
import type {
  Adjustment,
  AttributeMapping,
  Condition,
  ConsentBasis,
  ContactTable,
  EventTable,
  MappingPlace,
  RelatedRows,
  SystemEvent,
  ViewWatch,
} from '../core/mapping.ts';
import { optionSchema, withoutSecrets } from './option-schema.ts';
import { tableKey } from './table-name.ts';
import type { Config, DestinationConfig } from './types.ts';

/** A config before its hashes. */
export type Unhashed = Omit<Config, 'hash' | 'destinationHashes'>;

/**
 * SHA-256 (hex) of everything that shapes what is captured, mapped or sent. Left out: secrets, places in the file, the
 * order of keys (but that of tables, which is their precedence), and what only says how fast or where (delays of delivery and
 * sweep, log level, database) or what `apply` may create.
 */
export function configHash(config: Unhashed, registry: readonly Destination<unknown>[]): string {
  const { address, attributes, where, unconfirmed } = config.userMapping;
  const shape = {
    enabled: config.enabled,
    environment: config.environment,
    users: config.users,
    allowFunctions: config.allowFunctions.toSorted(),
    userMapping: { address, attributes: attributesShape(attributes), where: conditionShape(where), unconfirmed },
    tables: config.tables.map(contactTableShape),
    eventTables: config.eventTables.map(eventTableShape).toSorted(by((table) => tableKey(table.table))),
    systemEvents: config.systemEvents.map(systemEventShape).toSorted(by((event) => event.type)),
    consent: config.consent === undefined ? undefined : consentShape(config.consent),
    // Left out where they say nothing, so that a config without them is what it was.
    consentPolicy: config.consentPolicy === 'global' ? undefined : config.consentPolicy,
    consentReaders: config.consentReaders.length === 0 ? undefined : config.consentReaders.toSorted(),
    writeBacks: config.writeBacks.length === 0 ? undefined : config.writeBacks.map(withoutPlace),
    destinations: config.destinations.map((item) => destinationShape(item, registry)).toSorted(by((item) => item.name)),
    events: config.delivery.events,
    // They hold in the database alone, so another one has to be applied.
    brakes: config.brakes,
    // Where it is off the hash is what it was before there was such a thing.
    ...(config.erasure.onUserDeleted ? { eraseDeleted: true } : {}),
  };
  return createHash('sha256').update(canonicalJson(shape)).digest('hex');
}

/** The hash of the config with each destination alone: which of them a change is about. */
export function destinationHashes(
  config: Unhashed,
  registry: readonly Destination<unknown>[],
): Readonly<Record<string, string>> {
  const alone = (destination: DestinationConfig): string =>
    configHash({ ...config, destinations: [destination] }, registry);
  return Object.fromEntries(config.destinations.map((destination) => [destination.name, alone(destination)]));
}

/** Sorts by a text, in code units. */
function by<Item>(key: (item: Item) => string): (a: Item, b: Item) => number {
  return (a, b) => (key(a) < key(b) ? -1 : Number(key(a) > key(b)));
}

function withoutPlace<Item extends MappingPlace>(item: Item): Omit<Item, keyof MappingPlace> {
  const { path: _path, line: _line, column: _column, ...rest } = item;
  return rest;
}

function conditionShape(condition: Condition | undefined): string | undefined {
  return condition?.expression;
}

function attributesShape(attributes: readonly AttributeMapping[]): readonly object[] {
  return attributes.map(attributeShape).toSorted(by((attribute) => attribute.name));
}

function attributeShape(attribute: AttributeMapping) {
  const { source, ...rest } = withoutPlace(attribute);
  return { ...rest, source: source.kind === 'aggregate' ? { ...source, from: relatedShape(source.from) } : source };
}

function relatedShape(rows: RelatedRows): object {
  return { ...withoutPlace(rows), ...watchShape(rows), where: conditionShape(rows.where) };
}

function watchShape({ baseTables, everyMs }: ViewWatch): ViewWatch {
  return { baseTables: baseTables.toSorted(by(tableKey)), everyMs };
}

function contactTableShape(table: ContactTable): object {
  const attributes = attributesShape(table.attributes);
  return { ...withoutPlace(table), ...watchShape(table), attributes, where: conditionShape(table.where) };
}

function eventTableShape(table: EventTable) {
  return { ...withoutPlace(table), properties: attributesShape(table.properties), when: conditionShape(table.when) };
}

function systemEventShape(event: SystemEvent) {
  const properties = event.properties && attributesShape(event.properties);
  return { ...withoutPlace(event), properties, when: conditionShape(event.when) };
}

function consentShape(consent: ConsentBasis): object {
  if (consent.kind !== 'column') return consent;
  const { kind, table, path, at, confirmed } = consent;
  return { kind, table, path, at, confirmed };
}

function destinationShape(
  { name, type, options, vault, onDelete, topic, adjustment }: DestinationConfig,
  registry: readonly Destination<unknown>[],
) {
  const destination = registry.find((candidate) => candidate.id === type);
  const open = destination === undefined ? undefined : withoutSecrets(options, optionSchema(destination));
  // Of what is no secret, a placeholder says nothing.
  const inVault = vault?.places.filter((place) => !place.secret).map(({ path, parts }) => ({ path, parts }));
  return {
    name,
    type,
    onDelete,
    topic,
    options: open,
    inVault: inVault?.length === 0 ? undefined : inVault,
    adjustment: adjustment && adjustmentShape(adjustment),
  };
}

function adjustmentShape({ only, drop, rename, retype, where, lists }: Adjustment): object {
  return {
    only: only?.toSorted(),
    drop: drop.toSorted(),
    rename,
    retype: Object.fromEntries(retype.map(({ name, type }) => [name, type])),
    where: conditionShape(where),
    lists,
  };
}

/** JSON with the keys of every object sorted; `undefined` fields are left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : Number(a > b))));
  });
}
