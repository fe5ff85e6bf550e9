import type { Jobs } from '../../../sandbox/jobs.ts';
import type { JsonObject } from '../../../core/json.ts';
import type { BrevoSettings } from './settings.ts';
import type { Store } from './store.ts';

/** What the routes work on. */
export interface Account {
  readonly store: Store;
  readonly imports: Jobs<JsonObject>;
  readonly settings: BrevoSettings;
  /** Where the stand-in is reached, for links in answers; without a slash at the end. */
  readonly url: () => string;
}
