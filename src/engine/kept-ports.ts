import type { Kept } from '../core/kept.ts';

/** What outlives a restore, behind a port. */
export interface KeptStore {
  /** Whether the caller, and nobody else for a while, writes it down now: not more than once in `everyMs`, and when something is new. */
  begin(everyMs: number, force: boolean): Promise<boolean>;
  all(): Promise<Kept>;
  /** It was written. */
  end(): Promise<void>;
  /** It could not be: somebody tries again. */
  leave(): Promise<void>;
  /** Takes what is missing here, and makes it true of everybody, before anything is sent. */
  obey(kept: Kept): Promise<void>;
}

/** Where it stands: a file, or an object behind a URL. */
export interface KeptPlace {
  /** As messages name it: without what may be a secret. */
  readonly name: string;
  /** @throws RollcallError `RC_KEPT_UNREADABLE` */
  read(signal: AbortSignal): Promise<string>;
  /** All of it or nothing. @throws RollcallError `RC_KEPT_UNWRITABLE` */
  write(text: string, signal: AbortSignal): Promise<void>;
}
