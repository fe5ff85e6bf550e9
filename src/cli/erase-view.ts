import type { Erasure, ErasureAt } from '../sql/store/erase.ts';
import { columns, count, utc } from './layout.ts';

const WAITS: Readonly<Record<NonNullable<ErasureAt['state']>, string>> = {
  off: 'waits: the destination is off, or no longer in the config (--without leaves it out)',
  paused: 'waits: the destination is paused (`rollcall status` says why)',
  held: 'waits: a brake holds the deletion (`rollcall release`)',
  failed: 'waits: the deletion was refused (`rollcall failures`)',
  deleting: 'is being deleted',
  reading: 'deleted; it is read whether they are gone',
  done: 'done',
};

const READ_BACK: Readonly<Record<NonNullable<ErasureAt['read_back']>, string>> = {
  gone: 'deleted, and read back: gone',
  cannot_be_read: 'deleted; what is there cannot be read',
  never_there: 'was never there',
  taken: 'somebody else has the address by now',
  left_out: 'left out, as you said: not deleted there',
};

/** One erasure: what it waits for, or the receipt. */
export function renderErasure(erasure: Erasure): string {
  const { id, by, state, requested_at: begun, finished_at: ended, destinations } = erasure;
  const when = state === 'finished' && ended !== undefined ? `finished ${utc(ended)}` : `at work since ${utc(begun)}`;
  const rows = Object.entries(destinations).map(([name, at]) => [name, wordsOf(at)]);
  return [`Erasure ${id} (${by})`, `  ${when}`, ...(rows.length === 0 ? [] : [columns(rows, 'll')])].join('\n');
}

export function renderErasures(erasures: readonly Erasure[]): string {
  return erasures.length === 0 ? 'Nobody was erased.' : erasures.map(renderErasure).join('\n');
}

/** How far it is, in one line. */
export function renderWaiting({ destinations }: Erasure): string {
  const open = Object.entries(destinations).filter(([, { state }]) => state !== 'done');
  return open.length === 0
    ? 'Clearing what is held here...'
    : open.map(([name, at]) => `${name}: ${wordsOf(at)}`).join('; ');
}

function wordsOf({ state, read_back: readBack, found_again: found = 0 }: ErasureAt): string {
  const words = readBack === undefined ? WAITS[state ?? 'deleting'] : READ_BACK[readBack];
  return found === 0 ? words : `${words} (found again ${count(found, 'time')})`;
}
