import type { Exchange } from './destination.ts';

/** A list the destination has: of contacts, an audience, a segment with members of its own. */
export interface RemoteList {
  readonly id: number | string;
  readonly name: string;
}

/** Which members a request for many could not add or remove, by address; none when all went well. */
export interface MembersChanged {
  readonly failed: readonly string[];
}

/** Lists, by id or by name. */
export interface ListPlan<Config> {
  /** Every list. `page` is undefined for the first request, then what the answer before named. */
  all(
    config: Config,
    page?: string,
  ): Exchange<{ readonly lists: readonly RemoteList[]; readonly next?: string | undefined }>;
  create(name: string, config: Config): Exchange<RemoteList>;
  /** Lists that a contact can join by this destination; any number when absent. */
  readonly most?: number | undefined;
  /** True when a delivery can also take a contact out of a list, as segments need it: see `Delivery.lists`. */
  readonly segments?: boolean | undefined;
  /** Names of lists in the config, those of segments too. When there are any, a home reads all lists and calls `resolve` before it encodes. */
  names(config: Config): readonly string[];
  /**
   * The config with list names replaced by ids.
   * @throws RollcallError RC_LIST_UNKNOWN when the destination has no list of a name, or several
   */
  resolve(config: Config, lists: readonly RemoteList[]): Config;
  /** Adding and removing contacts that are there already; absent where only an upsert can. */
  readonly members?: {
    /** Addresses in one request. */
    readonly most: number;
    /** True when to add somebody who is not there makes a contact of them: then it is looked for first. */
    readonly makesContacts?: boolean | undefined;
    change(
      change: 'add' | 'remove',
      list: number | string,
      addresses: readonly string[],
      config: Config,
    ): Exchange<MembersChanged>;
  };
}
