/** Somebody who was deleted at a destination, and is looked for there. */
export interface ErasedContact {
  readonly contactId: string;
  /** Where they may stand; each is looked at. */
  readonly places: readonly { readonly address: string | null; readonly id: string | null }[];
}

/** Erasures, behind a port. Each method is one transaction and safe beside other workers. */
export interface ErasureStore {
  /**
   * The next contact whose deletion is settled and who is to be looked for; no other worker looks for it for `holdMs`.
   * @param reads whether the destination can be read; where it cannot, the settled deletion is all there is, and nobody is given back
   */
  take(destination: number, reads: boolean, holdMs: number): Promise<ErasedContact | undefined>;
  /** Not there any more; or found, to be deleted again. */
  note(destination: number, contactId: string, found: ErasedContact['places'][number] | undefined): Promise<void>;
  /** It could not be looked for now. */
  again(destination: number, contactId: string, waitMs: number): Promise<void>;
  /** Finishes what is settled everywhere: all that is held of these people goes. */
  finish(): Promise<{ readonly finished: readonly string[]; readonly open: number }>;
}
