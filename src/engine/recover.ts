import { RollcallError } from '../core/errors.ts';
import type { Kept } from '../core/kept.ts';
import type { DriftSample } from './audit-report.ts';
import { addressesOf, judge, leavingOf } from './judge-remote.ts';
import type { KeptStore } from './kept-ports.ts';
import { readRemote, type ReadRemote } from './read-remote.ts';
import type { ReadSuppressions } from './read-suppressions.ts';
import type { RemoteAccess } from './remote-asking.ts';
import type { RecoverMark, RecoverStore } from './remote-ports.ts';
import { stopped } from './stopped.ts';

/** What a destination was found to have after a restore, and what follows. */
export interface RecoverReport {
  readonly destination: string;
  /** False when it was not read: everybody is sent again. */
  readonly read: boolean;
  /** Contacts there. */
  readonly there: number;
  /** There as they shall be: not sent. */
  readonly equal: number;
  /** There with other values, or where they should not be: sent again. */
  readonly different: number;
  /** Not there: sent again. */
  readonly missing: number;
  /** Found unsubscribed: opted out here from now on. */
  readonly optedOut: number;
  /** Never heard of here, born after the backup perhaps: left as they are. */
  readonly unknown: number;
  readonly samples: readonly DriftSample[];
  /** Whether it told who must not be mailed; undefined where it has no way to, or was not read. */
  readonly suppressions?: ReadSuppressions | undefined;
}

export interface RecoverOptions {
  readonly accesses: readonly RemoteAccess[];
  /** Names of the destinations that are not read. */
  readonly unread: readonly string[];
  readonly store: RecoverStore;
  /** What outlives a restore, read before anything changes: who was erased since the backup, and who has said no. */
  readonly kept?: { readonly store: Pick<KeptStore, 'obey'>; readonly value: Kept } | undefined;
  /** Told which destination could not be read, and why; it then counts as one that is not read. Absent: that ends it all. */
  readonly onUnreadable?: ((access: RemoteAccess, error: RollcallError) => Promise<void>) | undefined;
}

const PAGE = 1_000;
const SAMPLES = 5;

/**
 * Takes a restored database into use: reads what the destinations have first, all of them, and only then changes anything;
 * binds at the end, so that nobody sends before. Killed in between, it can be run again.
 * @throws RollcallError `RC_EXPORT_*` when a destination cannot be read, `RC_AUDIT_BUSY`, `RC_AUDIT_LOST`, `RC_STOPPED`
 */
export async function recover(options: RecoverOptions, signal: AbortSignal): Promise<readonly RecoverReport[]> {
  const { accesses, store, onUnreadable } = options;
  const unread = [...options.unread];
  const reads: (ReadRemote & { readonly access: RemoteAccess })[] = [];
  try {
    for (const access of accesses) {
      const reading = await store.open(access.state.id);
      const entry = { access, reading, rows: 0, attributes: [], suppressions: undefined };
      reads.push(entry);
      try {
        reads[reads.length - 1] = { ...entry, ...(await readRemote(access, reading, signal)) };
      } catch (error) {
        if (onUnreadable === undefined || !isUnreadable(error)) throw error;
        await store.close(reading);
        reads.pop();
        await onUnreadable(access, error);
        unread.push(access.state.name);
      }
    }
    // What was read first waits for the others; it must not run out meanwhile.
    for (const { reading } of reads) await store.touch(reading);
    await store.beginRecover();
    if (options.kept !== undefined) await options.kept.store.obey(options.kept.value);
    const reports: RecoverReport[] = [];
    for (const read of reads) reports.push(await settle(read, store, signal));
    await store.bind();
    return [...reports, ...unread.map(notRead)];
  } finally {
    for (const { reading } of reads) await store.close(reading).catch(() => undefined);
  }
}

/** Whether an error says that a destination cannot be read, and nothing of all others. */
export function isUnreadable(error: unknown): error is RollcallError {
  return error instanceof RollcallError && /^RC_(?:EXPORT|VAULT)_/.test(error.code);
}

function notRead(destination: string): RecoverReport {
  const none = { there: 0, equal: 0, different: 0, missing: 0, optedOut: 0, unknown: 0 };
  return { destination, read: false, ...none, samples: [] };
}

async function settle(
  { access, reading, rows, suppressions }: ReadRemote & { readonly access: RemoteAccess },
  store: RecoverStore,
  signal: AbortSignal,
): Promise<RecoverReport> {
  const counts = { equal: 0, different: 0, missing: 0, optedOut: 0, unknown: 0 };
  for (let after: string | null = '0'; after !== null;) {
    if (signal.aborted) throw stopped();
    const page: Awaited<ReturnType<RecoverStore['compare']>> = await store.compare(reading, after, PAGE);
    const marks = page.contacts.flatMap((contact): RecoverMark[] => {
      if (contact.action !== 'upsert') return [];
      const verdict = judge(contact, access.destination, access.state.plan, access.config);
      const { missing, main, stale, old, consent } = verdict;
      // Under another id it is as it shall be: the id is noted.
      const equal = !missing && old.length === 0 && consent !== 'left_here' && stale.every((name) => name === 'id');
      const optedOut = consent === 'left_there';
      counts[missing ? 'missing' : equal ? 'equal' : 'different'] += 1;
      if (optedOut) counts.optedOut += 1;
      const { contactId, version } = contact;
      return [
        {
          contact: contactId,
          version,
          found: !missing,
          equal,
          left: optedOut ? leavingOf(verdict) : [],
          id: main?.id ?? null,
          leftovers: addressesOf(old),
        },
      ];
    });
    if (marks.length > 0) await store.mark(reading, marks);
    after = page.lastId;
  }
  const samples: DriftSample[] = [];
  for (let after: string | null = '0'; after !== null;) {
    if (signal.aborted) throw stopped();
    const page: Awaited<ReturnType<RecoverStore['strays']>> = await store.strays(reading, after, PAGE);
    const unknown = page.strays.filter((stray) => stray.leftBy === null && !stray.moving);
    counts.unknown += unknown.length;
    for (const { address } of unknown) if (samples.length < SAMPLES) samples.push({ address, contact: null });
    after = page.lastPlace;
  }
  return { destination: access.state.name, read: true, there: rows, ...counts, samples, suppressions };
}
