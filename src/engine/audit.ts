import { type AuditReport, createTally, type Tally } from './audit-report.ts';
import { isRight, judge, repairsOf, type Verdict } from './judge-remote.ts';
import { readRemote, type ReadRemote } from './read-remote.ts';
import type { RemoteAccess } from './remote-asking.ts';
import { stopped } from './stopped.ts';
import type { RemoteReading, Repair, RepairCounts, StrayContact } from './remote-ports.ts';

export interface AuditOptions extends RemoteAccess {
  readonly repair: boolean;
  /** Whether a repair removes contacts that we have never heard of. */
  readonly deleteExtra: boolean;
}

const PAGE = 1_000;

/**
 * Reads what a destination has and compares it with what it shall have, page by page. With `repair` what differs is put
 * through the queue.
 * @throws RollcallError a code that begins with RC_EXPORT when the destination cannot be read, `RC_AUDIT_BUSY`, `RC_AUDIT_LOST`, `RC_STOPPED`
 */
export async function audit(options: AuditOptions, signal: AbortSignal): Promise<AuditReport> {
  const { store, state } = options;
  const reading = await store.open(state.id);
  try {
    return await compare({ ...(await readRemote(options, reading, signal)), reading }, options, signal);
  } finally {
    // Should that fail, the next audit or the upkeep of a worker forgets it.
    await store.close(reading).catch(() => undefined);
  }
}

/** Counts of the contacts that were looked at. */
interface Looked {
  compared: number;
  moving: number;
  refused: number;
}

async function compare(read: ReadRemote, options: AuditOptions, signal: AbortSignal): Promise<AuditReport> {
  const { state } = options;
  const tally = createTally();
  const looked: Looked = { compared: 0, moving: 0, refused: 0 };
  const mend = createMend(options, read.reading);
  await ours(read.reading, options, { tally, looked, mend, signal });
  await strays(read.reading, options, { tally, looked, mend, signal });
  return {
    destination: state.name,
    there: read.rows,
    ...looked,
    drift: tally.drift,
    staleAttributes: tally.staleAttributes,
    unread: Object.keys(state.plan).filter((name) => !read.attributes.includes(name)),
    samples: tally.samples,
    suppressions: read.suppressions,
    repaired: options.repair ? mend.counts : undefined,
  };
}

interface Work {
  readonly tally: Tally;
  readonly looked: Looked;
  readonly mend: Mend;
  readonly signal: AbortSignal;
}

/** Contacts of ours, each with what was found of it. */
async function ours(
  reading: RemoteReading,
  { store, destination, config, state }: AuditOptions,
  { tally, looked, mend, signal }: Work,
): Promise<void> {
  for (let after: string | null = '0'; after !== null;) {
    if (signal.aborted) throw stopped();
    const page: Awaited<ReturnType<typeof store.compare>> = await store.compare(reading, after, PAGE);
    const wrong: Verdict[] = [];
    for (const contact of page.contacts) {
      if (contact.progress !== 'in_step') {
        looked[contact.progress] += 1;
        continue;
      }
      if (contact.action !== 'none') looked.compared += 1;
      const verdict = judge(contact, destination, state.plan, config);
      if (isRight(verdict)) continue;
      count(verdict, tally);
      wrong.push(verdict);
    }
    await mend.all(wrong.flatMap(repairsOf));
    after = page.lastId;
  }
}

function count({ contact, missing, stale, twins, old, consent }: Verdict, tally: Tally): void {
  const { contactId } = contact;
  const address = contact.address ?? contact.remoteAddress ?? '';
  if (missing) tally.add('missing', { address, contact: contactId });
  if (stale.length > 0) tally.add('stale', { address, contact: contactId, attributes: stale });
  for (const row of twins) tally.add('duplicate', { address: row.address, contact: contactId });
  for (const row of old) tally.add('old_address', { address: row.address, contact: contactId });
  if (consent !== undefined) {
    tally.add(consent === 'left_there' ? 'unsubscribed_there' : 'subscribed_there', { address, contact: contactId });
  }
}

/** Contacts there that are none of ours. */
async function strays(
  reading: RemoteReading,
  { store, deleteExtra }: AuditOptions,
  { tally, looked, mend, signal }: Work,
): Promise<void> {
  for (let after: string | null = '0'; after !== null;) {
    if (signal.aborted) throw stopped();
    const page: Awaited<ReturnType<typeof store.strays>> = await store.strays(reading, after, PAGE);
    const removed: StrayContact[] = [];
    for (const stray of page.strays) {
      if (stray.moving) {
        looked.moving += 1;
        continue;
      }
      tally.add(stray.leftBy === null ? 'unknown' : 'left_over', { address: stray.address, contact: stray.leftBy });
      if (stray.leftBy !== null || deleteExtra) removed.push(stray);
    }
    await mend.all(
      removed.map(({ leftBy: contact, version, address, id }) => ({ kind: 'remove', contact, version, address, id })),
    );
    after = page.lastPlace;
  }
}

interface Mend {
  readonly counts: RepairCounts;
  all(repairs: readonly Repair[]): Promise<void>;
}

/** Puts repairs through, or nothing without `repair`. */
function createMend({ store, repair }: AuditOptions, reading: RemoteReading): Mend {
  const counts = { anew: 0, resend: 0, opted_out: 0, remove: 0 };
  return {
    counts,
    async all(repairs) {
      if (!repair || repairs.length === 0) return;
      const done = await store.repair(reading, repairs);
      for (const kind of Object.keys(counts) as (keyof typeof counts)[]) counts[kind] += done[kind];
    },
  };
}
