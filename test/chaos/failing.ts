import type { Sandbox } from '../support/mailtrap-sandbox.ts';

/** Has everything answered by 500, or no longer: not before that was met, as a slow machine may send nothing meanwhile. */
export async function failing(sandbox: Sandbox, on: boolean): Promise<void> {
  if (on) return sandbox.addFaults([{ status: 500 }]);
  await sandbox.until((state) => (state.counters().byStatus['500'] ?? 0) > 0);
  sandbox.clearFaults();
}
