import type { Config } from '../config/types.ts';
import { type Place, RollcallError } from '../core/errors.ts';
import { userColumn } from '../core/user-columns.ts';
import { attributeColumns, USERS } from './compile/value.ts';

/**
 * Checks that every column which the config names, outside its `sql:` expressions, is in this database's `auth.users`.
 * @param columns columns that exist, by their names in the database
 * @throws RollcallError `RC_CONFIG_COLUMN_UNKNOWN` with the place in the config
 */
export function checkColumns(config: Config, columns: ReadonlySet<string>): void {
  const { address, attributes, unconfirmed } = config.userMapping;
  const check = (name: string, place: Place): void => {
    const column = userColumn(name);
    if (columns.has(column?.sql ?? name)) return;
    const known = column === undefined || column.sql === name ? '' : ` (${column.sql} in the database)`;
    throw new RollcallError(
      'RC_CONFIG_COLUMN_UNKNOWN',
      `The table auth.users of this database has no column ${name}${known}, and the mapping needs it.`,
      {
        hint: 'Was it dropped or renamed? Put it back, or take it out of the mapping.',
        place: { file: config.file, ...place },
      },
    );
  };
  const whole: Place = { path: 'user_mapping' };
  check(address[0], whole);
  if (!unconfirmed && address.length === 1 && (address[0] === 'email' || address[0] === 'phone')) {
    check(`${address[0]}_confirmed_at`, whole);
  }
  for (const attribute of attributes) {
    const { path, line, column } = attribute;
    for (const name of attributeColumns(attribute, undefined, USERS)) check(name, { path, line, column });
  }
  const { consent } = config;
  if (consent?.kind === 'column') {
    check(consent.path[0], { path: 'consent', line: consent.line, column: consent.column });
  }
}
