import type { SendrySettings } from './settings.ts';
import type { Store } from './store.ts';

/** What the routes work on. */
export interface Account {
  readonly store: Store;
  readonly settings: SendrySettings;
  readonly now: () => number;
}
