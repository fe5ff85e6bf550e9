import type { Config, DestinationConfig } from '../../../src/config/types.ts';
import type { Adjustment } from '../../../src/core/mapping.ts';
import { attribute, testConfig } from '../../support/config.ts';
import type { Installed } from './support.ts';

/** An adjustment of the given parts. */
export function adjustment(more: Partial<Omit<Adjustment, 'retype' | 'where'>> & Words): Adjustment {
  const { retype = {}, where, ...rest } = more;
  return {
    only: undefined,
    drop: [],
    rename: {},
    ...rest,
    retype: Object.entries(retype).map(([name, type]) => ({ name, type, path: `retype.${name}`, line: 1, column: 1 })),
    where: where === undefined ? undefined : { expression: where, line: 1, column: 1 },
  };
}

interface Words {
  readonly retype?: Readonly<Record<string, Adjustment['retype'][number]['type']>>;
  readonly where?: string;
}

/** A destination of a test config. */
export function destination(name: string, more: Partial<DestinationConfig> = {}): DestinationConfig {
  return { ...testConfig().destinations[0]!, name, ...more };
}

/** People with three attributes: a text, a number that is often none, and a time. */
export const ATTRIBUTES: Config['userMapping']['attributes'] = [
  attribute('FULL_NAME', 'user_metadata.full_name'),
  attribute('PLAN', 'user_metadata.plan'),
  attribute('SCORE', 'user_metadata.score', { type: 'integer' }),
  attribute('SINCE', 'created_at'),
  attribute('TAGS', 'user_metadata.tags', { type: 'json', onNull: 'clear' }),
];

/** A config of those people for several destinations. */
export function peopleConfig(destinations: readonly DestinationConfig[], more: Partial<Config> = {}): Partial<Config> {
  const { userMapping } = testConfig();
  return { userMapping: { ...userMapping, attributes: ATTRIBUTES }, destinations, ...more };
}

/** What a destination shall have of everybody, by key. */
export interface View {
  readonly action: string;
  readonly reason: string | null;
  readonly payload: Record<string, unknown>;
  readonly consent: string;
  readonly version: number;
  readonly held: boolean;
}

export async function views(one: Installed, name: string): Promise<ReadonlyMap<string, View>> {
  const { rows } = await one.db.app.query<View & { readonly key: string }>(
    `select c.key, s.action, s.reason, s.payload, s.consent, s.version::int, coalesce(d.lane >= 2, false) as held
       from rollcall.desired s join rollcall.contacts c on c.id = s.contact_id
       join rollcall.destinations x on x.id = s.destination_id
       left join rollcall.due d on d.contact_id = s.contact_id and d.destination_id = s.destination_id
      where x.name = $1`,
    [name],
  );
  return new Map(rows.map(({ key, ...view }) => [key, view]));
}
