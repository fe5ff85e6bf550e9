import { RollcallError } from '../core/errors.ts';
import { isNo, type RemoteSuppression } from '../core/suppressions.ts';
import { createAsking, type RemoteAccess } from './remote-asking.ts';
import type { RemoteReading } from './remote-ports.ts';

/** What came of reading who must not be mailed. */
export interface ReadSuppressions {
  /** Rows that the store was given, one for an address of a page. */
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
  const { config, store, onProgress } = access;
  const plan = access.destination.suppressions;
  if (plan === undefined) return undefined;
  let kept = 0;
  for (let after: string | undefined; ;) {
    // Each page has the time of its own: there may be very many, and few requests are allowed.
    const asking = createAsking(access, reading, 'suppressions', signal);
    let page: { readonly rows: readonly RemoteSuppression[]; readonly next?: string | undefined };
    try {
      page = await asking.until(() => plan.page(after, config));
    } catch (error) {
      if (!(error instanceof RollcallError) || error.code !== 'RC_EXPORT_REFUSED') throw error;
      return { kept, refused: error.message };
    }
    const addresses = [...new Set(page.rows.filter(isNo).map(({ address }) => address))];
    if (addresses.length > 0) await store.addSuppressed(reading, addresses);
    kept += addresses.length;
    onProgress?.({ step: 'suppressions', rows: kept });
    if (page.next === undefined) return { kept };
    after = page.next;
  }
}
