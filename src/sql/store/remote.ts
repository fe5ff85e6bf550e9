import { RollcallError } from '../../core/errors.ts';
import type { RemoteRow } from '../../core/exports.ts';
import { lastMomentOfNo } from '../../core/inbound.ts';
import { isJsonObject, parseJson } from '../../core/json.ts';
import type { Store } from '../../engine/ports.ts';
import type {
  AdoptStore,
  ComparedContact,
  FoundContact,
  RecoverStore,
  RemoteReading,
  Repair,
  RepairCounts,
  StrayContact,
} from '../../engine/remote-ports.ts';
import { type Queryable, sqlState } from '../port.ts';
import type { Identity } from './identity.ts';
import { retryConflict } from './retry-conflict.ts';
import { SUPPRESSED } from '../functions/remote.ts';
import { storable } from './storable.ts';

/** The store of audits, recoveries and adoptions over Postgres: what was read is in `rollcall.remote_contacts` while it is compared. */
export function createRemoteStore(
  sql: Queryable,
  store: Pick<Store, 'destinations' | 'takeSends' | 'holdSends'>,
  identity: Identity,
): RecoverStore & AdoptStore {
  const call = async <R extends Readonly<Record<string, unknown>>>(
    text: string,
    values: readonly unknown[],
  ): Promise<readonly R[]> => {
    try {
      return await retryConflict(() => sql.query<R>(text, values));
    } catch (error) {
      throw knownError(error) ?? error;
    }
  };
  return {
    destinations: () => store.destinations(),
    takeSends: (destination, buckets, want) => store.takeSends(destination, buckets, want),
    holdSends: (destination, buckets, waitMs) => store.holdSends(destination, buckets, waitMs),
    async open(destination) {
      const [row] = await call<{ run: string }>('select rollcall.open_remote($1) as run', [destination]);
      return { destination, run: row?.run ?? '' };
    },
    async touch({ destination, run }) {
      await call('select rollcall.use_remote($1, $2)', [destination, run]);
    },
    async add({ destination, run }, rows) {
      await call('select rollcall.add_remote($1, $2, $3)', [destination, run, JSON.stringify(rows.map(toStored))]);
    },
    async addSuppressed({ destination, run }, facts) {
      const rows = facts.map(({ id, kind, address, at, event }) => ({
        address: storable(address),
        id: null,
        status: SUPPRESSED,
        fields: { id: storable(id), kind, at: lastMomentOfNo({ kind, at }), event },
      }));
      await call('select rollcall.add_remote($1, $2, $3)', [destination, run, JSON.stringify(rows)]);
    },
    async complete({ destination, run }, found) {
      await call('select rollcall.complete_remote($1, $2, $3)', [destination, run, found]);
    },
    async close({ destination, run }) {
      await call('select rollcall.close_remote($1, $2)', [destination, run]);
    },
    async compare({ destination, run }, after, limit) {
      const rows = await call<CompareRow>('select * from rollcall.compare_remote($1, $2, $3, $4)', [
        destination,
        run,
        after,
        limit,
      ]);
      // A page may be short: what is large is compared a few at a time.
      return { lastId: rows.at(-1)?.contact_id ?? null, contacts: rows.map(toCompared) };
    },
    async strays({ destination, run }, after, limit) {
      const [row] = await call<{ last_place: string | null; strays: string }>(
        'select * from rollcall.stray_remote($1, $2, $3, $4)',
        [destination, run, after, limit],
      );
      return { lastPlace: row?.last_place ?? null, strays: JSON.parse(row?.strays ?? '[]') as readonly StrayContact[] };
    },
    async repair({ destination, run }: RemoteReading, repairs: readonly Repair[]): Promise<RepairCounts> {
      const [row] = await call<{ done: string }>(
        'select rollcall.repair_contacts($1, rollcall.with_key($2, $4)::uuid, $3)::text as done',
        [destination, run, JSON.stringify(repairs.map(toRepair)), identity.erasureKey],
      );
      return JSON.parse(row?.done ?? '{}') as RepairCounts;
    },
    async beginRecover() {
      await call('select rollcall.begin_recover()', []);
    },
    async mark({ destination, run }, marks) {
      await call('select rollcall.recover_contacts($1, rollcall.with_key($2, $4)::uuid, $3)', [
        destination,
        run,
        JSON.stringify(marks),
        identity.erasureKey,
      ]);
    },
    async adoptFacts({ destination, run }, after, limit) {
      const [row] = await call<{ last_place: string | null; recorded: number }>(
        'select * from rollcall.adopt_facts($1, rollcall.with_key($2, $5)::uuid, $3, $4)',
        [destination, run, after, limit, identity.erasureKey],
      );
      return { lastPlace: row?.last_place ?? null, recorded: row?.recorded ?? 0 };
    },
    async adopt({ destination, run }, marks) {
      const [row] = await call<{ known: number; equal: number }>('select * from rollcall.adopt_contacts($1, $2, $3)', [
        destination,
        run,
        JSON.stringify(marks),
      ]);
      return { known: row?.known ?? 0, equal: row?.equal ?? 0 };
    },
    async bind() {
      await call('select rollcall.bind_here($1, $2)', [identity.projectRef, identity.environment]);
    },
  };
}

interface CompareRow {
  readonly [column: string]: unknown;
  readonly contact_id: string;
  readonly version: string;
  readonly action: ComparedContact['action'];
  readonly address: string | null;
  readonly remote_address: string | null;
  readonly remote_id: string | null;
  readonly consent: ComparedContact['consent'];
  readonly payload: string;
  readonly progress: ComparedContact['progress'];
  readonly found: string;
}

function toCompared(row: CompareRow): ComparedContact {
  const payload = parseJson(row.payload);
  const found = JSON.parse(row.found) as readonly (Omit<FoundContact, 'status'> & {
    readonly status: FoundContact['status'] | typeof SUPPRESSED;
  })[];
  const ours = [row.address, row.remote_address];
  const told = found.filter(({ status, plainAddress }) => status === SUPPRESSED && ours.includes(plainAddress));
  const bounces = told.filter(({ fields }) => fields['kind'] === 'bounce');
  return {
    contactId: row.contact_id,
    version: row.version,
    action: row.action,
    address: row.address,
    remoteAddress: row.remote_address,
    remoteId: row.remote_id,
    consent: row.consent,
    attributes: isJsonObject(payload) ? payload : {},
    progress: row.progress,
    suppressed: told.length > bounces.length,
    bounced: bounces.length > 0,
    told: told.map(({ place }) => place),
    found: found.filter((each): each is FoundContact => each.status !== SUPPRESSED),
  };
}

function toStored({ address, id, status, fields }: RemoteRow): object {
  return {
    address: storable(address),
    id: id === null ? null : storable(id),
    status,
    fields: Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, storable(text)])),
  };
}

function toRepair(repair: Repair): object {
  switch (repair.kind) {
    case 'anew':
      return { kind: repair.kind, contact: repair.contact, version: repair.version, leftovers: repair.leftovers };
    case 'resend':
      return {
        kind: repair.kind,
        contact: repair.contact,
        version: repair.version,
        leftovers: repair.leftovers,
        forget_id: repair.forgetId,
      };
    case 'opted_out':
    case 'remove':
      return repair;
    default:
      return repair satisfies never;
  }
}

function knownError(error: unknown): RollcallError | undefined {
  switch (sqlState(error) ?? '') {
    case 'RC051':
      return new RollcallError('RC_AUDIT_BUSY', 'Another process is reading this destination.', {
        hint: 'Wait for it to end. If it was killed, run the command again in a minute.',
        cause: error,
      });
    case 'RC052':
      return new RollcallError('RC_AUDIT_LOST', 'What was read of this destination is gone, so it can’t be compared.', {
        hint: 'The database was restarted, or another process took over. Run the command again.',
        cause: error,
      });
    default:
      return undefined;
  }
}
