import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';

/** How long a sandbox on this machine may take to answer. */
const ANSWER_MS = 2_000;

/** What is said of each destination that is sent to the sandbox. */
export function sandboxNotes({ destinations }: Pick<Config, 'destinations'>): readonly string[] {
  return destinations.flatMap(({ name, sandbox }) =>
    sandbox === undefined ? [] : [`Development: ${name} is sent to the sandbox at ${sandbox}`],
  );
}

/**
 * Looks whether the sandbox runs, where a config sends to it.
 * @returns what to say when it does not; undefined when it does, or is not needed
 */
export async function sandboxProblem({
  destinations,
}: Pick<Config, 'destinations'>): Promise<RollcallError | undefined> {
  const url = destinations.find(({ sandbox }) => sandbox !== undefined)?.sandbox;
  if (url === undefined) return undefined;
  const { origin, port } = new URL(url);
  try {
    const answer = await fetch(origin, { redirect: 'manual', signal: AbortSignal.timeout(ANSWER_MS) });
    await answer.body?.cancel();
    return undefined;
  } catch (cause) {
    const start = port === '4010' ? 'rollcall sandbox' : `rollcall sandbox --port ${port}`;
    return new RollcallError('RC_SANDBOX_DOWN', `The sandbox does not run at ${origin}.`, {
      hint: `Start it in another terminal: ${start}. Or say \`sandbox: false\` at a destination, which sends to the real API.`,
      cause,
    });
  }
}
