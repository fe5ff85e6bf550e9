import { databaseError } from '../cli/database-error.ts';
import { requireDatabase } from '../sql/open-database.ts';
import type { Host } from './host.ts';
import { addressIn } from './told.ts';
import { isUuid } from '../core/uuid.ts';

/**
 * Asks the ledger whether somebody may be mailed. Of whom nothing can be known, as they have no address, the answer is no.
 * @param person the id of a user, or an address
 * @throws RollcallError `RC_DATABASE_URL`, `RC_NOT_INSTALLED`
 */
export async function canEmail(host: Host, person: string, topic: string | undefined): Promise<boolean> {
  requireDatabase(await host.config());
  const sql = await host.database();
  const who = typeof person === 'string' ? person.trim() : '';
  const type = isUuid(who) ? 'uuid' : 'text';
  if (type === 'text' && addressIn(who) === undefined) return false;
  try {
    const rows = await sql?.query<{ may: boolean | null }>(`select rollcall.can_email($1::${type}, $2) as may`, [
      who,
      topic ?? null,
    ]);
    return rows?.[0]?.may === true;
  } catch (error) {
    throw databaseError(error) ?? error;
  }
}
