import { once } from 'node:events';
import pg from 'pg';
import { createWake } from '../../engine/wake.ts';
import { connectionTarget } from '../../sql/tls.ts';
import { decode, type WalMessage, type WalRelation } from './decode.ts';
import { formatLsn } from './lsn.ts';

/** What comes from the server, in order. `reached`: everything before that place was sent. */
export type Streamed = WalMessage | { readonly kind: 'reached'; readonly at: bigint };

export interface WalStream {
  /** What has come, at least one message and at most so many; undefined once the signal aborts. Rejects when the connection is lost. */
  take(most: number, signal: AbortSignal): Promise<readonly Streamed[] | undefined>;
  /**
   * @param read everything before it is done with
   * @param kept everything before it the server may forget
   */
  confirm(read: bigint, kept: bigint): void;
  /** Resolves once the server has let go of the slot, or has not in time. */
  close(): Promise<void>;
}

export interface StreamOptions {
  readonly url: string;
  readonly sslRootCert: string | undefined;
  readonly slot: string;
  readonly from: bigint;
  /** Which columns of a table are needed. Asked as soon as the table is told of, as its rows are read before they are taken. */
  readonly wanted: (relation: WalRelation) => readonly boolean[] | undefined;
}

/** How values become text, whatever is set for the role. */
const SETTINGS =
  '-c datestyle=ISO -c intervalstyle=postgres -c timezone=UTC -c bytea_output=hex -c extra_float_digits=1 -c xmlbinary=base64';
const CONNECT_MS = 10_000;
const CLOSE_MS = 2_000;
/** The longest that a timer takes. */
const FOR_EVER_MS = 2 ** 31 - 1;
/** Well below wal_sender_timeout, 60 s by default: without a word for so long the server ends the connection. */
const STATUS_MS = 5_000;
/** More than that is left in the socket, and the server waits. */
const MOST_WAITING = 4_000;
const MOST_BYTES = 8_388_608;

/**
 * Opens a connection for replication; nothing is read yet.
 * @throws the driver's error
 */
export async function connectForReplication(url: string, sslRootCert: string | undefined): Promise<pg.Client> {
  const target = connectionTarget(url, sslRootCert);
  const client = new pg.Client({
    connectionString: target.url,
    ssl: target.ssl,
    application_name: 'rollcall wal',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    options: SETTINGS,
    replication: 'database',
  } as pg.ClientConfig);
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.end().catch(() => undefined);
    throw error;
  }
}

/** What node-postgres has below a client, as far as it is needed here. */
interface Wire {
  readonly stream: { pause(): void; resume(): void };
  on(event: 'copyData', listener: (message: { readonly chunk: Buffer }) => void): void;
  once(event: 'replicationStart', listener: () => void): void;
  sendCopyFromChunk(chunk: Buffer): void;
}

/**
 * Reads the slot. While much waits to be taken the socket is not read, and the server sends no more.
 * @throws the driver's error; SQLSTATE 55006 while somebody else reads it
 */
export async function openStream(options: StreamOptions): Promise<WalStream> {
  const { slot, from, wanted } = options;
  const client = await connectForReplication(options.url, options.sslRootCert);
  const wire = (client as unknown as { readonly connection: Wire }).connection;
  const columns = new Map<number, readonly boolean[] | undefined>();
  const queue: { readonly message: Streamed; readonly bytes: number }[] = [];
  let waiting = 0;
  let paused = false;
  let failed: unknown;
  const something = createWake();
  let [read, kept] = [0n, from];
  const status = (): void => {
    if (failed === undefined) wire.sendCopyFromChunk(statusUpdate(read, kept));
  };
  const push = (message: Streamed, bytes: number): void => {
    queue.push({ message, bytes });
    waiting += bytes;
    if (!paused && (queue.length > MOST_WAITING || waiting > MOST_BYTES)) {
      paused = true;
      wire.stream.pause();
    }
    something.ring();
  };
  const fail = (error: unknown): void => {
    failed ??= error;
    something.ring();
  };
  wire.on('copyData', ({ chunk }) => {
    try {
      if (chunk[0] === XLOG_DATA) {
        const message = decode(chunk.subarray(25), (relation) => columns.get(relation));
        if (message.kind === 'relation') columns.set(message.relation.id, wanted(message.relation));
        return push(message, chunk.length);
      }
      if (chunk[0] !== KEEPALIVE) return;
      push({ kind: 'reached', at: chunk.readBigUInt64BE(1) }, 18);
      if (chunk[17] === 1) status();
    } catch (error) {
      fail(error);
    }
  });
  const started = new Promise<void>((resolve) => wire.once('replicationStart', resolve));
  const over = client
    .query(
      `START_REPLICATION SLOT "${slot}" LOGICAL ${formatLsn(from)} (proto_version '1', publication_names '"rollcall"', messages 'true')`,
    )
    .then(() => fail(new Error('the server has ended the replication')), fail);
  client.on('end', () => fail(new Error('the connection for replication was lost')));
  await Promise.race([started, over]);
  if (failed !== undefined) {
    await client.end().catch(() => undefined);
    throw failed;
  }
  const timer = setInterval(status, STATUS_MS);
  return {
    async take(most, signal) {
      while (queue.length === 0) {
        if (failed !== undefined) throw failed;
        if (signal.aborted) return undefined;
        await something.wait(FOR_EVER_MS, signal);
      }
      if (signal.aborted) return undefined;
      const taken = queue.splice(0, most);
      for (const { bytes } of taken) waiting -= bytes;
      if (paused && queue.length < MOST_WAITING / 2 && waiting < MOST_BYTES / 2) {
        paused = false;
        wire.stream.resume();
      }
      return taken.map(({ message }) => message);
    },
    confirm(newRead, newKept) {
      read = newRead;
      kept = newKept;
      status();
    },
    async close() {
      clearInterval(timer);
      failed ??= new Error('closed');
      wire.stream.resume();
      const ended = once(client, 'end', { signal: AbortSignal.timeout(CLOSE_MS) }).catch(() => undefined);
      client.end().catch(() => undefined);
      await ended;
    },
  };
}

const [XLOG_DATA, KEEPALIVE] = [0x77, 0x6b];

/** postgresql.org/docs, "Streaming Replication Protocol": what was written, flushed and applied, and when. */
function statusUpdate(read: bigint, kept: bigint): Buffer {
  const bytes = Buffer.alloc(34);
  bytes.write('r');
  bytes.writeBigUInt64BE(read > kept ? read : kept, 1);
  bytes.writeBigUInt64BE(kept, 9);
  bytes.writeBigUInt64BE(kept, 17);
  bytes.writeBigInt64BE((BigInt(Date.now()) - 946_684_800_000n) * 1_000n, 25);
  return bytes;
}
