import type { WalPlan } from '../../sql/compile/wal-plan.ts';
import type { WalChunk, WalPlace } from './reader.ts';

/** How it stands, as the database knows it. */
export interface WalState {
  /** The WAL is to be read: the config says so, and it was not given up. */
  readonly wanted: boolean;
  /** Null while there is none of ours. */
  readonly slot: string | null;
  readonly madeAt: string | null;
  /** The slot has not what follows on what we have; null while it has. */
  readonly trouble: 'missing' | 'lost' | 'timeline' | 'position' | null;
  readonly givenUp: boolean;
  /** Somebody reads it. */
  readonly busy: boolean;
  /** WAL that the server keeps for it, in bytes. */
  readonly keptBytes: number;
  /** How far it is in the log. */
  readonly from: WalPlace;
  /** Of the last commit, in microseconds since 2000. */
  readonly time: bigint;
  /** Tells the plans from those of another config. */
  readonly version: string;
  readonly sources: readonly WalTable[];
}

/** A table that is captured. */
export interface WalTable {
  /** `schema.table`. */
  readonly name: string;
  readonly relation: string;
  readonly oid: number | null;
  readonly plan: WalPlan;
  /** It has no triggers: its changes come from the WAL alone. */
  readonly owned: boolean;
  /** Its triggers have its changes from here on. */
  readonly until: bigint | undefined;
  /** Why it cannot be read from the WAL as it is now. */
  readonly misfit: string | null;
}

/** The database, as whoever reads the WAL needs it. */
export interface WalStore {
  /** Undefined while what is installed is older than this program. */
  state(): Promise<WalState | undefined>;
  /** False when somebody else is at it. */
  make(): Promise<boolean>;
  /** The slot is gone, or of no use. False when that is known already. */
  lost(madeAt: string | null): Promise<boolean>;
  /** True when the publication was changed. */
  publish(): Promise<boolean>;
  /** @throws the driver's error: 55P03 while somebody writes to the table */
  takeOver(name: string, read: bigint): Promise<boolean>;
  handBack(name: string): Promise<boolean>;
  giveUp(why: string): Promise<boolean>;
  drop(): Promise<void>;
  end(read: bigint): Promise<boolean>;
  /** How far the server has written its log, and how much of that is on disk. */
  written(): Promise<{ readonly inserted: bigint; readonly flushed: bigint }>;
  /** Puts a chunk and the place after it into the log. @throws the driver's error: RC007 when somebody else did, or a config was applied */
  take(move: WalMove, chunk: WalChunk): Promise<'log' | 'unseen'>;
  /** The same of a chunk of keys alone, which are folded at once; into the log where that could not be. @throws as `take` */
  fold(move: WalMove, chunk: WalChunk): Promise<Taken>;
}

/** What became of a chunk. `unseen`: nothing yet, as the WAL tells of a commit a moment before anybody else can see it. */
export type Taken = Folded | 'log' | 'unseen';

/** From one place to the next. */
export interface WalMove {
  readonly version: string;
  readonly from: WalPlace;
  readonly to: WalPlace;
  /** Of the last commit, in microseconds since 2000. */
  readonly time: bigint;
}

/** Contacts that something is due for now, and rows that could not be mapped. */
export interface Folded {
  readonly changed: number;
  readonly failed: number;
}
