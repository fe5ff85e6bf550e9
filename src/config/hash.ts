import { createHash } from 'node:crypto';
import type { Destination } from '../core/destination.ts';
import type { AttributeMapping, ConsentBasis } from '../core/mapping.ts';
import { optionSchema, withoutSecrets } from './option-schema.ts';
import type { Config, DestinationConfig } from './types.ts';

/**
 * SHA-256 (hex) of everything that shapes what is captured, mapped or sent. Left out: secrets, places in the file, the
 * order of keys, and what only says how fast or where (delays, log level, database).
 */
export function configHash(config: Omit<Config, 'hash'>, registry: readonly Destination<unknown>[]): string {
  const { address, attributes, where, unconfirmed } = config.userMapping;
  const shape = {
    enabled: config.enabled,
    environment: config.environment,
    users: config.users,
    allowFunctions: config.allowFunctions.toSorted(),
    userMapping: {
      address,
      attributes: attributes.map(withoutPlace).toSorted(byName),
      where: where?.expression,
      unconfirmed,
    },
    consent: config.consent === undefined ? undefined : consentShape(config.consent),
    destinations: config.destinations.map((destination) => destinationShape(destination, registry)).toSorted(byName),
  };
  return createHash('sha256').update(canonicalJson(shape)).digest('hex');
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : Number(a.name > b.name);
}

function withoutPlace(attribute: AttributeMapping): Omit<AttributeMapping, 'path' | 'line' | 'column'> {
  const { path: _path, line: _line, column: _column, ...rest } = attribute;
  return rest;
}

function consentShape(consent: ConsentBasis): object {
  return consent.kind === 'column' ? { kind: consent.kind, path: consent.path } : consent;
}

function destinationShape(
  { name, type, options }: DestinationConfig,
  registry: readonly Destination<unknown>[],
): { readonly name: string; readonly type: string; readonly options: unknown } {
  const destination = registry.find((candidate) => candidate.id === type);
  const open = destination === undefined ? undefined : withoutSecrets(options, optionSchema(destination));
  return { name, type, options: open };
}

/** JSON with the keys of every object sorted; `undefined` fields are left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : Number(a > b))));
  });
}
