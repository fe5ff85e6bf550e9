import { comparing } from '../core/exports.ts';
import type { AdoptReport } from './adopt-report.ts';
import type { DriftSample } from './audit-report.ts';
import { judge, type Verdict } from './judge-remote.ts';
import { readRemote, type ReadRemote } from './read-remote.ts';
import type { RemoteAccess } from './remote-asking.ts';
import type { AdoptMark, AdoptStore } from './remote-ports.ts';
import { stopped } from './stopped.ts';

export interface AdoptOptions extends RemoteAccess {
  readonly store: AdoptStore;
}

const PAGE = 1_000;
const SAMPLES = 5;

/**
 * Reads what a destination has and keeps what follows: what it tells of consent as facts, and who stands there as whom. Nothing is
 * sent. Each page is a transaction, and known things change nothing, so it can be run again at any time.
 * @throws RollcallError a code that begins with RC_EXPORT when the destination cannot be read, `RC_AUDIT_BUSY`, `RC_AUDIT_LOST`, `RC_STOPPED`
 */
export async function adopt(options: AdoptOptions, signal: AbortSignal): Promise<AdoptReport> {
  const { store, state } = options;
  const reading = await store.open(state.id);
  try {
    return await keep({ ...(await readRemote(options, reading, signal)), reading }, options, signal);
  } finally {
    // Should that fail, the next reading or the upkeep of a worker forgets it.
    await store.close(reading).catch(() => undefined);
  }
}

async function keep(read: ReadRemote, options: AdoptOptions, signal: AbortSignal): Promise<AdoptReport> {
  const { state } = options;
  // First, so that whoever left there is compared as one who has left.
  const recorded = await facts(read, options, signal);
  const ours = await contacts(read, options, signal);
  return {
    destination: state.name,
    there: read.rows,
    ...ours,
    unknown: await strangers(read, options, signal),
    recorded,
    unread: Object.keys(state.plan).filter((name) => !read.attributes.includes(name)),
    suppressions: read.suppressions,
  };
}

async function facts({ reading }: ReadRemote, { store }: AdoptOptions, signal: AbortSignal): Promise<number> {
  let recorded = 0;
  for (let after: string | null = '0'; after !== null;) {
    if (signal.aborted) throw stopped();
    const page: Awaited<ReturnType<AdoptStore['adoptFacts']>> = await store.adoptFacts(reading, after, PAGE);
    recorded += page.recorded;
    after = page.lastPlace;
  }
  return recorded;
}

async function contacts(
  { reading, attributes }: ReadRemote,
  { store, destination, config, state, onProgress }: AdoptOptions,
  signal: AbortSignal,
): Promise<Pick<AdoptReport, 'ours' | 'adopted' | 'equal' | 'missing' | 'doubles' | 'samples'>> {
  const counts = { ours: 0, adopted: 0, equal: 0, missing: 0, doubles: 0 };
  const samples: DriftSample[] = [];
  let rows = 0;
  for (let after: string | null = '0'; after !== null;) {
    if (signal.aborted) throw stopped();
    const page: Awaited<ReturnType<AdoptStore['compare']>> = await store.compare(reading, after, PAGE);
    const marks: AdoptMark[] = [];
    for (const contact of page.contacts) {
      if (contact.action !== 'upsert') continue;
      const verdict = judge(contact, destination, state.plan, config);
      counts[verdict.missing ? 'missing' : 'ours'] += 1;
      counts.doubles += verdict.twins.length;
      for (const { address } of verdict.twins) {
        if (samples.length < SAMPLES) samples.push({ address, contact: contact.contactId });
      }
      const mark = markOf(verdict, attributes, comparing(destination)?.saysMore(config) === true);
      if (mark !== undefined) marks.push(mark);
    }
    const done = marks.length === 0 ? { known: 0, equal: 0 } : await store.adopt(reading, marks);
    counts.adopted += done.known;
    counts.equal += done.equal;
    rows += page.contacts.length;
    onProgress?.({ step: 'adopting', rows });
    after = page.lastId;
  }
  return { ...counts, samples };
}

/**
 * What is known of a contact by what was found of it; undefined where that is nothing. Pure.
 * @param attributes those that the reading has
 * @param saysMore whether a first delivery says what no reading shows
 */
export function markOf(
  { contact, main, stale, old, consent }: Verdict,
  attributes: readonly string[],
  saysMore: boolean,
): AdoptMark | undefined {
  if (main === undefined || main.plainAddress !== contact.address) return undefined;
  // Nothing ever says "subscribed", so whoever is not mailed there is as they shall be; but a no has to stand there for certain.
  const isOut = main.status === 'unsubscribed' || contact.suppressed;
  const isRead = Object.keys(contact.attributes).every((name) => attributes.includes(name));
  const settled = consent !== 'left_here' && (isOut || contact.consent !== 'opted_out');
  const equal = !saysMore && isRead && settled && stale.length === 0 && old.length === 0;
  // By the address alone it is found at the first delivery too.
  if (main.id === null && !equal) return undefined;
  const { contactId, version } = contact;
  return { contact: contactId, version, id: main.id, equal, apart: main.address !== contact.address };
}

/** How many are there that are none of ours. */
async function strangers({ reading }: ReadRemote, { store }: AdoptOptions, signal: AbortSignal): Promise<number> {
  let unknown = 0;
  for (let after: string | null = '0'; after !== null;) {
    if (signal.aborted) throw stopped();
    const page: Awaited<ReturnType<AdoptStore['strays']>> = await store.strays(reading, after, PAGE);
    unknown += page.strays.length;
    after = page.lastPlace;
  }
  return unknown;
}
