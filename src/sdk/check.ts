import type { Line } from '../cli/project/look.ts';
import type { Host } from './host.ts';

/** What `rollcall test --json` prints. */
export interface Checked {
  /** Nothing failed. */
  readonly ok: boolean;
  readonly lines: readonly Line[];
}

/** Asks, live, everything a delivery needs, as `rollcall test` does. @throws RollcallError for the config alone */
export async function checkSupabase({ config, env, send }: Host): Promise<Checked> {
  // It has the registry, and a module that awaits while it is loaded cannot be required.
  const { isWell, readLines } = await import('../cli/project/lines.ts');
  const lines = await readLines({ config: await config(), env: env(), send, whole: true });
  return { ok: isWell(lines), lines };
}
