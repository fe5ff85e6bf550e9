import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { CsvError, parse } from 'csv-parse';
import { Agent, request } from 'undici';
import { RollcallError } from '../core/errors.ts';
import type { ReadTable } from '../engine/remote-ports.ts';
import { stopped } from '../engine/stopped.ts';
import { failureOutcome } from './failure.ts';
import { type GuardOptions, guardedLookup, isLoopbackHost, urlProblem } from './guard.ts';

export interface TableReaderOptions extends GuardOptions {
  /** Most bytes over the wire; 2 GiB when absent. */
  readonly maxBytes?: number | undefined;
  /** Most bytes once unpacked; 8 GiB when absent. A contact takes some hundred. */
  readonly maxUnpackedBytes?: number | undefined;
}

const GIB = 2 ** 30;
const CONNECT_MS = 10_000;
/** Most characters of one row. */
const LONGEST_ROW = 2 ** 20;

/**
 * Reads CSV files behind links, gzipped or not, row by row: what is held in memory does not grow with the file. A link is
 * used without our authentication, through the same guard as every request, and redirects are not followed.
 */
export function createTableReader(options: TableReaderOptions = {}): { read: ReadTable; close(): Promise<void> } {
  const { maxBytes = 2 * GIB, maxUnpackedBytes = 8 * GIB } = options;
  const agent = new Agent({
    connections: 2,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: CONNECT_MS, lookup: guardedLookup(options) },
  });

  async function* read({ url, from, deadlineMs, signal }: Parameters<ReadTable>[0]): AsyncGenerator<readonly string[]> {
    const target = checked(url, from, options);
    const deadline = AbortSignal.timeout(Math.max(1, deadlineMs));
    const left = new AbortController();
    const ends = AbortSignal.any([deadline, left.signal, ...(signal === undefined ? [] : [signal])]);
    const rows = parse({ bom: true, relaxColumnCount: true, skipEmptyLines: true, maxRecordSize: LONGEST_ROW });
    let done: Promise<void> | undefined;
    try {
      const answer = await request(target, { dispatcher: agent, signal: ends });
      if (answer.statusCode !== 200) {
        answer.body.on('error', () => undefined).destroy();
        throw unreadable(`its link answered with status ${answer.statusCode}`, 'RC_EXPORT_DOWNLOAD');
      }
      const bytes = limited(answer.body, maxBytes);
      done = pipeline(Readable.from(unpacked(bytes, maxUnpackedBytes)), rows, { signal: ends });
      // Heard below, when the rows end; a rejection before that is nobody's.
      done.catch(() => undefined);
      for await (const row of rows) yield row as readonly string[];
      await done;
    } catch (error) {
      throw explained(error, { host: target.host, late: deadline.aborted, stopped: signal?.aborted === true });
    } finally {
      // A reader that has seen enough, too, ends the download.
      left.abort();
      rows.destroy();
      await done?.catch(() => undefined);
    }
  }

  return { read, close: () => agent.destroy() };
}

function checked(link: string, from: string, options: GuardOptions): URL {
  let url: URL;
  try {
    url = new URL(link);
  } catch {
    throw unreadable('its link is no URL', 'RC_EXPORT_DOWNLOAD');
  }
  const problem = urlProblem(url, options);
  if (problem !== undefined) throw unreadable(`its link may not be followed. ${problem}`, 'RC_EXPORT_DOWNLOAD');
  // An answer from elsewhere must not lead us to what listens on this machine.
  if (isLoopbackHost(url.hostname) && !isLoopbackHost(new URL(from).hostname)) {
    throw unreadable('its link leads to this machine', 'RC_EXPORT_DOWNLOAD');
  }
  return url;
}

async function* limited(bytes: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  let count = 0;
  for await (const chunk of bytes) {
    count += chunk.length;
    if (count > most)
      throw unreadable(`it is larger than ${most.toLocaleString('en-US')} bytes`, 'RC_EXPORT_TOO_LARGE');
    yield chunk;
  }
}

/** What a file says in its first two bytes tells whether it is packed: a link's name and headers may lie. */
async function* unpacked(bytes: AsyncGenerator<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  let head = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await bytes.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  const whole = (async function* (): AsyncGenerator<Uint8Array> {
    yield head;
    yield* bytes;
  })();
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* limited(whole, most);
    return;
  }
  const gunzip = createGunzip();
  const done = pipeline(Readable.from(whole), gunzip);
  done.catch(() => undefined);
  yield* limited(gunzip, most);
  await done;
}

function unreadable(why: string, code: string): RollcallError {
  return new RollcallError(code, `The export could not be read: ${why}.`.replace(/\.\.$/, '.'), {
    hint: 'Nothing was changed. Run the command again; if it stays so, please report it.',
  });
}

function explained(error: unknown, at: { host: string; late: boolean; stopped: boolean }): unknown {
  if (error instanceof RollcallError) return error;
  if (at.late && !at.stopped) return unreadable(`${at.host} took too long to send it`, 'RC_EXPORT_TIMEOUT');
  if (at.stopped) return stopped();
  const { code = '' } = error as { code?: string };
  if (error instanceof CsvError) return unreadable(`it is no CSV file (${error.code})`, 'RC_EXPORT_UNREADABLE');
  if (code.startsWith('Z_')) return unreadable(`it could not be unpacked (${code})`, 'RC_EXPORT_UNREADABLE');
  const outcome = failureOutcome(error, true, at.host);
  const words = outcome.kind === 'delivered' ? '' : outcome.message.replace(/\.$/, '');
  return unreadable(words, 'RC_EXPORT_DOWNLOAD');
}
