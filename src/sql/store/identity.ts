/** What a worker says about itself; checked against the install: the config on every fold and claim, the rest on every claim. */
export interface Identity {
  readonly configHash: string;
  readonly projectRef: string;
  readonly environment: string;
}
