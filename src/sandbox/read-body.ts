import type { IncomingMessage } from 'node:http';

/**
 * Reads a request body whole.
 * @param limit bytes
 * @param done given the text, or null when the body is larger than the limit; not called when the client goes away
 */
export function readBody(incoming: IncomingMessage, limit: number, done: (body: string | null) => void): void {
  if (Number(incoming.headers['content-length'] ?? 0) > limit) {
    incoming.resume();
    done(null);
    return;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  let refused = false;
  incoming.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= limit) {
      chunks.push(chunk);
    } else if (!refused) {
      refused = true;
      chunks.length = 0;
      done(null);
    }
  });
  incoming.on('end', () => {
    if (!refused) done(chunks.length === 1 ? chunks[0]!.toString('utf8') : Buffer.concat(chunks).toString('utf8'));
  });
  // A client that goes away in the middle of its request has sent nothing to act on.
  incoming.on('error', () => undefined);
}
