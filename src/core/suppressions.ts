import type { Exchange } from './destination.ts';

/** An address that a destination will not mail. */
export interface RemoteSuppression {
  readonly address: string;
  readonly reason: 'unsubscribe' | 'complaint' | 'bounce' | 'manual';
  /** When it was recorded there: ISO 8601; undefined when the answer does not say. */
  readonly at?: string | undefined;
}

/** Whether it says that the person wants no mail, or somebody decided so; a bounce says nothing of that. */
export function isNo({ reason }: RemoteSuppression): boolean {
  return reason !== 'bounce';
}

/** Reading who must not be mailed. */
export interface SuppressionPlan<Config> {
  /** One page; `after` is undefined for the first, then what the page before named as `next`. The last names none. */
  page(
    after: string | undefined,
    config: Config,
  ): Exchange<{ readonly rows: readonly RemoteSuppression[]; readonly next?: string | undefined }>;
}
