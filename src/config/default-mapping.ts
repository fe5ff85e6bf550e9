import type { AttributeMapping, Transform } from '../core/mapping.ts';
import type { Spot } from './issues.ts';
import { formatPath } from './tree.ts';

type Row = readonly [path: readonly [string, ...string[]], name: string, ...transforms: readonly Transform[]];

/** The eight default user mappings of the Tajo Supabase connector's page, without `email`, which is the address. */
const ROWS: readonly Row[] = [
  [['phone'], 'SMS', { name: 'e164' }],
  [['user_metadata', 'full_name'], 'FIRSTNAME'],
  [['user_metadata', 'avatar_url'], 'AVATAR_URL'],
  [['created_at'], 'SIGNUP_DATE'],
  [['last_sign_in_at'], 'LAST_SIGN_IN'],
  [['app_metadata', 'provider'], 'PROVIDER'],
  [['confirmed_at'], 'CONFIRMED_AT'],
];

/** What is mapped when the config has no `user_mapping`; `spot` is where it would stand. */
export function defaultAttributes(spot: Spot): readonly AttributeMapping[] {
  return ROWS.map(([path, name, ...transforms]) => ({
    name,
    source: { kind: 'column', path },
    transforms,
    type: undefined,
    onNull: 'skip',
    path: `${formatPath(spot.path)}.${path.join('.')}`,
    ...spot.at,
  }));
}
