import type { Destination, HttpRequest } from '../core/destination.ts';
import type { Outcome } from '../core/outcome.ts';

const encoder = new TextEncoder();

/** Why a request is too large to be sent, or undefined. Most are known to fit without being measured. */
export function sizeProblem(
  { body }: HttpRequest,
  destination: Destination<unknown>,
  config: unknown,
): Outcome | undefined {
  const { bytesPerRequest: most } = destination.limits(config);
  if (most === undefined || body === null || body.length * 3 <= most) return undefined;
  const bytes = encoder.encode(body).length;
  if (bytes <= most) return undefined;
  const message = `This takes ${bytes} bytes, and ${destination.name} takes at most ${most} in a request: map less, or shorter values.`;
  return { kind: 'reject', code: 'too_large', message };
}
