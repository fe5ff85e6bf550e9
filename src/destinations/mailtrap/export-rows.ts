import type { AttributePlan } from '../../core/destination.ts';
import { RollcallError } from '../../core/errors.ts';
import type { RemoteRow, RemoteStatus, RowReader } from '../../core/exports.ts';
import { cut } from '../../core/wire.ts';

// The columns of the file are not documented, so each is known by any of the names it could have.
const EMAIL = ['email', 'emailaddress', 'contactemail'];
const ID = ['id', 'contactid', 'uuid', 'contactuuid'];
const STATUS = ['subscriptionstatus', 'status', 'contactstatus'];

const SUBSCRIBED = new Set(['subscribed']);
const UNSUBSCRIBED = new Set(['unsubscribed', 'suppressed', 'unsubscription', 'optedout', 'bounced', 'complained']);

/** `Subscription status`, `subscription_status` and `SUBSCRIPTION-STATUS` are one name. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
}

function statusOf(text: string): RemoteStatus {
  const word = plain(text);
  if (SUBSCRIBED.has(word)) return 'subscribed';
  return UNSUBSCRIBED.has(word) ? 'unsubscribed' : 'unknown';
}

/** The place of each planned attribute: under its merge tag as it is, else under a name that differs in case and signs only. */
function placesOf(header: readonly string[], plan: AttributePlan, taken: readonly number[]): Map<string, number> {
  const free = header.flatMap((name, index) => (taken.includes(index) ? [] : [{ name: name.trim(), index }]));
  const places = new Map<string, number>();
  for (const attribute of Object.keys(plan).toSorted()) {
    const found =
      free.find(({ name }) => name === attribute) ?? free.find(({ name }) => plain(name) === plain(attribute));
    if (found !== undefined) places.set(attribute, found.index);
  }
  return places;
}

/**
 * Reads the rows of an export by its header.
 * @throws RollcallError RC_EXPORT_COLUMNS when no column holds an address
 */
export function rows(header: readonly string[], plan: AttributePlan): RowReader {
  const names = header.map(plain);
  const column = (known: readonly string[]): number =>
    known.map((name) => names.indexOf(name)).find((index) => index >= 0) ?? -1;
  const email = column(EMAIL);
  if (email < 0) {
    const found = header.map((name) => name.trim() || '(no name)').join(', ');
    throw new RollcallError(
      'RC_EXPORT_COLUMNS',
      `Mailtrap's export has no column of addresses. Its columns: ${cut(found)}.`,
      {
        hint: 'Mailtrap documents no columns of its export. Please report these names, so that Rollcall can read them.',
      },
    );
  }
  const id = column(ID);
  const status = column(STATUS);
  const places = placesOf(header, plan, [email, id, status]);
  return {
    attributes: [...places.keys()],
    read(cells): RemoteRow | undefined {
      const address = (cells[email] ?? '').trim();
      if (address === '') return undefined;
      const fields = [...places].map(([name, index]): [string, string] => [name, cells[index] ?? '']);
      return {
        address,
        id: cells[id]?.trim() || null,
        status: statusOf(cells[status] ?? ''),
        fields: Object.fromEntries(fields),
      };
    },
  };
}
