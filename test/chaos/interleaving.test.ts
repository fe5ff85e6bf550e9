import fc from 'fast-check';
import { test } from 'vitest';
import { play } from './interleaving/run.ts';
import { type Scenario, scenarios } from './interleaving/scenario.ts';

const seed = Number(process.env['ROLLCALL_CHAOS_SEED'] ?? 1);
const numRuns = Number(process.env['ROLLCALL_INTERLEAVING_RUNS'] ?? 4);
/** The place of one failing case, as a failure prints it: played once, and not made smaller. */
const path = process.env['ROLLCALL_INTERLEAVING_PATH'];

const SHRINKING_MS = 300_000;

test(
  'whatever several connections do to several tables, and workers to themselves: in the end the destination is what plain SQL says',
  { timeout: numRuns * 6_000 + SHRINKING_MS },
  async () => {
    await fc.assert(
      fc.asyncProperty(scenarios, (scenario) => play(scenario)),
      {
        seed,
        numRuns,
        // As many more runs as make a failure small; it is reported as small as it got.
        interruptAfterTimeLimit: numRuns * 6_000 + SHRINKING_MS - 30_000,
        markInterruptAsFailure: true,
        endOnFailure: process.env['ROLLCALL_INTERLEAVING_FAST'] !== undefined,
        ...(path === undefined ? {} : { path, numRuns: 1, endOnFailure: true }),
        reporter: report,
      },
    );
  },
);

function report(details: fc.RunDetails<[Scenario]>): void {
  if (!details.failed) return;
  const replay = `ROLLCALL_CHAOS_SEED=${details.seed} ROLLCALL_INTERLEAVING_PATH=${details.counterexamplePath ?? ''}`;
  const error: unknown = details.errorInstance;
  throw new Error(`${replay}\n${error instanceof Error ? error.message : 'interrupted'}`);
}
