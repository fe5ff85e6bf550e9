import type { Config } from '../config/types.ts';
import type { AttributeMapping, ConsentBasis } from '../core/mapping.ts';
import { cut } from './layout.ts';

/** Where an attribute's value comes from, in a few words: `user_metadata.full_name`, `constant "supabase"`, `sql: …`. */
export function describeSource({ source, transforms }: AttributeMapping): string {
  const from =
    source.kind === 'column'
      ? source.path.join('.')
      : source.kind === 'const'
        ? `constant ${JSON.stringify(source.value)}`
        : `sql: ${source.expression.replaceAll(/\s+/g, ' ')}`;
  const through = transforms.length === 0 ? '' : ` (${transforms.map((t) => t.name).join(', ')})`;
  return cut(from, 36) + through;
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
    case 'column':
      return `people whose ${consent.path.join('.')} is true`;
  }
}

/** The summary as data, for `--json`. Holds no secrets. */
export function summaryOf(config: Config): object {
  const { userMapping } = config;
  return {
    file: config.file,
    environment: config.environment,
    hash: config.hash,
    enabled: config.enabled && config.users,
    destinations: config.destinations.map(({ name, type }) => ({ name, type })),
    address: userMapping.address.join('.'),
    attributes: userMapping.attributes.map((a) => ({ from: describeSource(a), to: a.name, type: a.type ?? null })),
    where: userMapping.where?.expression ?? null,
    unconfirmed: userMapping.unconfirmed,
    consent: config.consent === undefined ? null : describeConsent(config.consent),
    warnings: config.warnings,
  };
}
