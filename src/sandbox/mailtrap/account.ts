import type { Store } from './store.ts';
import type { ErrorStyle } from './replies.ts';
import type { Jobs } from './jobs.ts';

/** What the routes work on. */
export interface Account {
  readonly store: Store;
  readonly imports: Jobs;
  readonly exports: Jobs;
  readonly files: Map<string, Uint8Array>;
  readonly now: () => number;
  readonly errorStyle: ErrorStyle;
  /** Most contacts the plan allows. */
  readonly maxContacts: number;
  /** Where the sandbox is reached, for links in answers; without a slash at the end. */
  readonly origin: () => string;
}
