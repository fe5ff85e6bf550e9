import type { Jobs } from '../../../sandbox/jobs.ts';
import type { Store } from './store.ts';
import type { ErrorStyle } from './replies.ts';
import type { ExportWork } from './exports.ts';
import type { ImportWork } from './imports.ts';

/** What the routes work on. */
export interface Account {
  readonly store: Store;
  readonly imports: Jobs<ImportWork>;
  readonly exports: Jobs<ExportWork>;
  readonly files: Map<string, Uint8Array>;
  readonly now: () => number;
  readonly errorStyle: ErrorStyle;
  /** Most contacts the plan allows. */
  readonly maxContacts: number;
  /** Where the stand-in is reached, for links in answers; without a slash at the end. */
  readonly url: () => string;
}
