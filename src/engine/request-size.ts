import type { HttpRequest } from '../core/destination.ts';
import type { Outcome } from '../core/outcome.ts';

const encoder = new TextEncoder();

/**
 * Why a request is too large to be sent, or undefined. Most are known to fit without being measured.
 * @param most bytes that the destination takes; undefined where no limit is known
 * @param name of the destination
 */
export function sizeProblem({ body }: HttpRequest, most: number | undefined, name: string): Outcome | undefined {
  if (most === undefined || body === null || body.length * 3 <= most) return undefined;
  const bytes = encoder.encode(body).length;
  if (bytes <= most) return undefined;
  const message = `This takes ${bytes} bytes, and ${name} takes at most ${most} in a request: map less, or shorter values.`;
  return { kind: 'reject', code: 'too_large', message };
}
