import { describe, expect, test } from 'vitest';
import type { Destination } from '../../src/core/destination.ts';
import { registry } from '../../src/destinations/registry.ts';
import type { StandInMaker } from '../../src/sandbox/stand-in.ts';
import { conformance } from '../../src/testing/conformance.ts';

/** A draft is tested beside its own code, so that it fails where it is written. */
const written: readonly Destination<unknown>[] = registry.filter(({ draft }) => draft !== true);

async function standInOf(id: string): Promise<StandInMaker> {
  const module = (await import(`../../src/destinations/${id}/sandbox/index.ts`)) as { readonly default: StandInMaker };
  return module.default;
}

test('the registry has destinations', () => {
  expect(written.length).toBeGreaterThan(0);
});

describe.each(written.map((destination) => ({ id: destination.id, destination })))(
  '$id',
  async ({ id, destination }) => {
    const cases = conformance({ destination, standIn: await standInOf(id) });

    test('has a case of its own for each thing', () => {
      expect(cases.length).toBeGreaterThan(40);
      expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    });

    test.each(cases)('$name', async ({ run }) => {
      await run();
    });
  },
);
