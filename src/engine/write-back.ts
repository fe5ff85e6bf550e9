import type { FactStore } from '../inbound/ports.ts';
import type { Logger } from './ports.ts';
import { createTrouble } from './trouble.ts';
import { pause } from './wake.ts';

export interface WriteBackOptions {
  readonly facts: Pick<FactStore, 'writeBack'>;
  readonly log: Logger;
  /** Whether the config says where consent is written. */
  readonly writesBack: boolean;
  readonly isFatal: (error: unknown) => boolean;
}

/** People in one transaction: each holds a row of the app's until it ends. */
const AT_ONCE = 20;
/** The app shall know within two seconds. */
const LOOK_MS = 250;

/** Writes what people have said where the app sees it, until the signal aborts. Workers take different people. */
export async function runWriteBack(options: WriteBackOptions, signal: AbortSignal): Promise<void> {
  const { facts, log, isFatal } = options;
  if (!options.writesBack) return;
  const trouble = createTrouble(log, {}, 'write consent back');
  while (!signal.aborted) {
    try {
      const { failed, code, more } = await facts.writeBack(AT_ONCE);
      if (failed > 0) trouble.failed({ code });
      else trouble.worked();
      if (more && failed === 0) continue;
    } catch (error) {
      if (isFatal(error)) return;
      trouble.failed(error);
    }
    await pause(LOOK_MS, signal);
  }
}
