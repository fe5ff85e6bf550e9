import { renderJson } from '../core/json.ts';
import { databaseError } from '../cli/database-error.ts';
import type { Queryable } from '../sql/port.ts';
import type { Told } from './told.ts';

/** Most that one statement appends: the log has a row for each hundred. */
const MOST = 1_000;

/** A contact that shall join a list. */
export interface Joining {
  readonly address: string;
  readonly destination: string;
  readonly list: number | string;
}

/** What `events.track` and `lists.addContacts` write where there is a database: the change log, once it is committed for good. */
export interface Durable {
  /** @throws RollcallError `RC_NOT_INSTALLED`, or what the database says */
  track(events: readonly Told[]): Promise<void>;
  /** @throws RollcallError `RC_NOT_INSTALLED`, or what the database says */
  join(rows: readonly Joining[]): Promise<void>;
}

export function createDurable(sql: Queryable): Durable {
  const tell = async (rows: readonly object[]): Promise<void> => {
    for (let n = 0; n < rows.length; n += MOST) {
      const some = rows.slice(n, n + MOST) as unknown as Parameters<typeof renderJson>[0];
      try {
        await sql.query('select rollcall.tell($1::jsonb)', [renderJson(some)]);
      } catch (error) {
        throw databaseError(error) ?? error;
      }
    }
  };
  return {
    track: (events) =>
      tell(
        events.map((event) => {
          const { address, name, properties, at } = event;
          return { id: keyOf(event), address, name, properties, at: at ?? null };
        }),
      ),
    join: (rows) =>
      tell(
        rows.map(({ address, destination, list }) => {
          const id = `list ${crypto.randomUUID()}`;
          return { id, address, name: 'list.joined', destination, list };
        }),
      ),
  };
}

/** What the log takes once: an id is that of an event of somebody. JSON, so that no two of them read the same. */
function keyOf({ id, address, name }: Told): string {
  return id === undefined ? crypto.randomUUID() : JSON.stringify([name, id, address.toLowerCase()]);
}
