import * as z from 'zod';
import type { Json, JsonObject } from '../core/json.ts';
import { readSaved, savedValues } from './saved.ts';
import type { SandboxDestination } from './served.ts';

/** Grows when what is saved gets another shape. */
const VERSION = 1;

const savedState = z.object({
  rollcall_sandbox: z.literal(VERSION),
  destinations: z.record(z.string(), savedValues),
});

/** All that the stand-ins hold, as JSON. */
export function saveState(destinations: readonly SandboxDestination[]): JsonObject {
  return {
    rollcall_sandbox: VERSION,
    destinations: Object.fromEntries(destinations.map(({ id, standIn }) => [id, standIn.save()])),
  };
}

/**
 * Puts a saved state in place of what the stand-ins hold. One that the state says nothing of is emptied; what it says of
 * destinations that are not served is passed over.
 * @throws RollcallError `RC_SANDBOX_STATE`, with everything as it was
 */
export function loadState(destinations: readonly SandboxDestination[], state: Json): void {
  const { destinations: saved } = readSaved(savedState, state, 'state');
  const before = destinations.map(({ standIn }) => standIn.save());
  try {
    for (const { id, standIn } of destinations) {
      const own = saved[id];
      if (own === undefined) standIn.reset();
      else standIn.load(own);
    }
  } catch (error) {
    for (const [index, { standIn }] of destinations.entries()) standIn.load(before[index]!);
    throw error;
  }
}
