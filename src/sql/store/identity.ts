/** What a worker says about itself; checked against the install on every fold and claim. */
export interface Identity {
  readonly configHash: string;
  readonly projectRef: string;
  readonly environment: string;
}
