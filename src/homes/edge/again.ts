import type { Env } from '../../config/interpolate.ts';

/** The answer of a run that goes on elsewhere comes at once, where it is told to come early. */
const WAIT_MS = 2_000;

/**
 * Calls the function's own URL, without data: another invocation goes on where this one has ended. Should it be lost, the next tick does.
 * `ROLLCALL_EDGE_URL` names the URL; else it is made of `SUPABASE_URL`.
 */
export async function again(env: Env, key: string | undefined): Promise<void> {
  const url = env['ROLLCALL_EDGE_URL'] ?? functionUrl(env['SUPABASE_URL']);
  if (url === undefined || key === undefined) return;
  try {
    const answer = await fetch(`${url.replace(/\/$/, '')}/tick`, {
      method: 'POST',
      headers: { apikey: key },
      redirect: 'error',
      signal: AbortSignal.timeout(WAIT_MS),
    });
    await answer.body?.cancel();
  } catch {
    // Nobody's concern: see above.
  }
}

function functionUrl(projectUrl: string | undefined): string | undefined {
  return projectUrl === undefined || projectUrl === ''
    ? undefined
    : `${projectUrl.replace(/\/$/, '')}/functions/v1/rollcall`;
}
