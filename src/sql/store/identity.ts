import type { Config } from '../../config/types.ts';
import { refOf } from '../open-database.ts';

/** What a worker says about itself; checked against the install: the config on every fold and claim, the rest on every claim. */
export interface Identity {
  readonly configHash: string;
  readonly projectRef: string;
  readonly environment: string;
  /** What the erased are hashed with, where that is not in Vault: given to each transaction that may meet one of them. */
  readonly erasureKey?: string | undefined;
}

/**
 * What a process with this config says about itself.
 * @throws RollcallError `RC_DATABASE_URL` when the config has no database
 */
export function identityOf(config: Config): Identity {
  const { hash: configHash, environment, erasure } = config;
  return { configHash, projectRef: refOf(config), environment, erasureKey: erasure.key };
}
