import { RollcallError } from '../core/errors.ts';
import { type Asking, createAsking, type RemoteAccess } from './remote-asking.ts';
import type { RemoteReading } from './remote-ports.ts';
import { suppressionPages } from './suppression-pages.ts';

/** What came of reading who must not be mailed. */
export interface ReadSuppressions {
  /** Rows that the store was given, one for each thing said on a page. */
  readonly kept: number;
  /** Why they could not be read; what was read of contacts holds without them. */
  readonly refused?: string | undefined;
}

/**
 * Reads who must not be mailed, page by page, into the reading: an opt-out that an export does not show. A key may have no right to,
 * which says nothing of its right to contacts: that is noted and nothing fails.
 * @returns undefined where the destination has no way to tell
 * @throws RollcallError `RC_EXPORT_TIMEOUT`, `RC_AUDIT_LOST`, `RC_STOPPED`
 */
export async function readSuppressions(
  access: RemoteAccess,
  reading: RemoteReading,
  signal: AbortSignal,
): Promise<ReadSuppressions | undefined> {
  const { destination, config, store, onProgress } = access;
  // Where opt-outs stand among all contacts, those have just been read.
  if (!destination.capabilities.consent.read.includes('suppressions')) return undefined;
  // Each page has the time of its own: there may be very many, and few requests are allowed.
  const ask: Asking['until'] = (make) => createAsking(access, reading, 'suppressions', signal).until(make);
  let kept = 0;
  try {
    for await (const { facts } of suppressionPages(destination, config, ask)) {
      const once = [...new Map(facts.map((fact) => [fact.id, fact])).values()];
      if (once.length > 0) await store.addSuppressed(reading, once);
      kept += once.length;
      onProgress?.({ step: 'suppressions', rows: kept });
    }
  } catch (error) {
    if (!(error instanceof RollcallError) || error.code !== 'RC_EXPORT_REFUSED') throw error;
    return { kept, refused: error.message };
  }
  return { kept };
}
