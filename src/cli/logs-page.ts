import type { DeliveryLine } from '../sql/store/deliveries.ts';
import type { Notice } from '../sql/store/past-deliveries.ts';

/** One line of the past. */
export type Entry =
  | { readonly at: string; readonly kind: 'delivery'; readonly line: DeliveryLine }
  | { readonly at: string; readonly kind: 'notice'; readonly notice: Notice };

export interface LogsPage {
  /** The newest last. */
  readonly entries: readonly Entry[];
  /** Where the page before it ends; undefined when there is none. */
  readonly before: string | undefined;
}

/**
 * The newest of the past, so many and whatever is of the same moment as the oldest of them: the next page is what is before that
 * moment, so no line is on both and none on neither.
 */
export function pageOf(lines: readonly DeliveryLine[], notices: readonly Notice[], limit: number): LogsPage {
  const all: Entry[] = [
    ...lines.map((line) => ({ at: line.at, kind: 'delivery' as const, line })),
    ...notices.map((notice) => ({ at: notice.at, kind: 'notice' as const, notice })),
  ].toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const oldest = all.at(-limit);
  if (oldest === undefined) return { entries: all, before: undefined };
  const entries = all.filter(({ at }) => at >= oldest.at);
  return { entries, before: entries.length < all.length ? oldest.at : undefined };
}
