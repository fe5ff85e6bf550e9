import type { FaultRule } from '../sandbox/faults.ts';
import type { StandInMaker } from '../sandbox/stand-in.ts';
import { startSandbox } from '../sandbox/start.ts';

/** A sandbox with one stand-in. */
export interface Served {
  /** Where its API is. */
  readonly url: string;
  /** The key that it accepts. */
  readonly secret: string;
  addFaults(rules: readonly FaultRule[]): void;
  clearFaults(): void;
  close(): Promise<void>;
}

/** Serves one stand-in without limits of its own, on a free port of this machine. */
export async function serve(
  id: string,
  standIn: StandInMaker,
  settings: Readonly<Record<string, unknown>>,
): Promise<Served> {
  const sandbox = await startSandbox({
    standIns: { [id]: standIn },
    settings: { [id]: settings },
    limitsScale: Infinity,
  });
  const { url, token } = sandbox.of(id);
  return {
    url,
    secret: token,
    addFaults: (rules) => sandbox.addFaults(rules),
    clearFaults: () => sandbox.clearFaults(),
    close: () => sandbox.close(),
  };
}
