import { openBench } from './bench.ts';
import type { Case } from './case.ts';
import { addresses } from './cases/addresses.ts';
import { answers } from './cases/answers.ts';
import { consent } from './cases/consent.ts';
import { contacts } from './cases/contacts.ts';
import { doubt } from './cases/doubt.ts';
import { events } from './cases/events.ts';
import { everybody } from './cases/everybody.ts';
import { lists } from './cases/lists.ts';
import { bulk } from './cases/many.ts';
import { pure } from './cases/pure.ts';
import { reads } from './cases/reads.ts';
import { values } from './cases/values.ts';
import { webhooks } from './cases/webhooks.ts';
import type { ConformanceCase, ConformanceKit } from './kit.ts';

const CASES: readonly Case[] = [
  ...contacts,
  ...addresses,
  ...values,
  ...consent,
  ...answers,
  ...doubt,
  ...events,
  ...bulk,
  ...reads,
  ...lists,
  ...everybody,
  ...webhooks,
  ...pure,
];

/**
 * What a destination must keep, given what it says it can do: cases that say nothing of it are left out. Each case has a
 * sandbox of its own with the stand-in, and goes through the real transport and the engine's own way of sending.
 * @returns at least one case; none of them depends on another, and each closes what it opened
 */
export function conformance(kit: ConformanceKit): readonly ConformanceCase[] {
  return CASES.filter((each) => each.needs?.(kit.destination) !== false).map((each) => ({
    name: each.name,
    run: () => runCase(kit, each),
  }));
}

async function runCase(kit: ConformanceKit, each: Case): Promise<void> {
  try {
    const lists = typeof each.lists === 'function' ? each.lists(kit) : each.lists;
    const bench = await openBench(kit, lists, each.options, each.segments);
    try {
      await each.run(bench);
    } finally {
      await bench.close();
    }
  } catch (error) {
    if (error instanceof Error) {
      const { message, stack } = error;
      error.message = `${message}\nWhat to write: ${each.write}.\nSee CONTRIBUTING.md, "A destination".`;
      // Some runners show the message, some the stack, which begins with the message as it was.
      if (stack !== undefined) error.stack = stack.replace(message, () => error.message);
    }
    throw error;
  }
}
