import type { ReadRows } from './read-remote.ts';
import { createAsking, failed } from './remote-asking.ts';

/** Reads all contacts of a destination page by page. What comes once more on the page after its own is kept once. */
export const readPages: ReadRows = async (access, reading, keep, signal) => {
  const { destination, config, state } = access;
  const { pages } = destination;
  if (pages === undefined) throw new TypeError(`${destination.id} has no pages`);
  let before: ReadonlySet<string | null> = new Set();
  for (let after: string | undefined; ;) {
    const from = after;
    // Each page has the time of its own: there may be very many, and few requests are allowed.
    const asking = createAsking(access, reading, 'read', signal);
    const { rows, next } = await asking.until(() => pages.page(from, state.plan, config));
    for (const row of rows) if (row.id === null || !before.has(row.id)) await keep(row);
    if (next === undefined) return { attributes: Object.keys(state.plan).toSorted() };
    // Whoever is not read would count as missing.
    if (next === from) throw failed(state.name, 'its pages have no end', 'RC_EXPORT_UNREADABLE');
    before = new Set(rows.map(({ id }) => id));
    after = next;
  }
};
