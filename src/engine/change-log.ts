import type { Observer } from './observer.ts';
import type { Logger } from './ports.ts';

/** For `log_realtime`: a line for each batch of changes as it comes in, with counts alone. */
export function createChangeLog(log: Logger): Observer {
  return (seen) => {
    if (seen.what !== 'fold' || seen.result.taken === 0) return;
    const { taken, changed, failed } = seen.result;
    log.info({ changes: taken, contacts: changed, failed, ms: Math.round(seen.ms) }, 'changes came in');
  };
}
