import { RollcallError } from '../core/errors.ts';
import { type Kept, keptText, readKept } from '../core/kept.ts';
import type { KeptPlace, KeptStore } from './kept-ports.ts';
import type { Logger } from './ports.ts';
import { createTrouble } from './trouble.ts';
import { pause } from './wake.ts';

export interface KeepingOptions {
  readonly store: KeptStore;
  readonly place: KeptPlace;
  readonly log: Logger;
  /** At most so often. */
  readonly everyMs: number;
  readonly lookMs: number;
  readonly isFatal: (error: unknown) => boolean;
}

/** Writes down what outlives a restore, whenever something is new, until the signal aborts; whichever worker comes first. */
export async function runKeeping(options: KeepingOptions, signal: AbortSignal): Promise<void> {
  const trouble = createTrouble(options.log, {}, 'write down what outlives a restore');
  while (!signal.aborted) {
    try {
      await keep(options, false, signal);
      trouble.worked();
    } catch (error) {
      if (options.isFatal(error)) return;
      if (!signal.aborted) trouble.failed(error);
    }
    await pause(options.lookMs, signal);
  }
}

/**
 * Writes it down once; with `force` also when nothing is new.
 * @returns how many lines; undefined when there was nothing to do
 */
export async function keep(
  { store, place, everyMs }: Pick<KeepingOptions, 'store' | 'place' | 'everyMs'>,
  force: boolean,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (!(await store.begin(everyMs, force))) return undefined;
  try {
    const kept = await store.all();
    await place.write(keptText(kept), signal);
    await store.end();
    return kept.lines.length;
  } catch (error) {
    await store.leave().catch(() => undefined);
    throw error;
  }
}

/**
 * Reads what was kept.
 * @throws RollcallError `RC_KEPT_UNREADABLE`
 */
export async function readKeptPlace(place: KeptPlace, signal: AbortSignal): Promise<Kept> {
  const kept = readKept(await place.read(signal));
  if ('problem' in kept) throw keptUnreadable(place.name, kept.problem);
  return kept;
}

/** @param why the end of a sentence */
export function keptUnreadable(name: string, why: string, cause?: unknown): RollcallError {
  return new RollcallError(
    'RC_KEPT_UNREADABLE',
    `What outlives a restore could not be read from ${name}: ${why.replace(/\.$/, '')}.`,
    {
      hint: 'It holds who was erased and who said no since the backup. Put it back, or go on without it: `rollcall recover --without-kept`.',
      cause,
    },
  );
}
