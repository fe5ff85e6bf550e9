import { createConnection, createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { openPg } from '../../../src/sql/pg.ts';
import { onPort } from '../../support/behind.ts';
import { createDatabase, onCleanup } from '../../support/database.ts';

/** ErrorResponse of the protocol, as a server sends it before it ends a connection. */
function fatal(): Buffer {
  const fields = Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0');
  const head = Buffer.alloc(5, 'E');
  head.writeUInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

/** Before a Postgres: ends the first connection in the very packet that answers its first statement. */
async function createTerminator(port: number): Promise<number> {
  let ended = false;
  const server = createServer((near) => {
    const far = createConnection(port, '127.0.0.1');
    let asked = false;
    near.on('data', (bytes) => {
      asked ||= bytes.includes('pg_backend_pid()');
      far.write(bytes);
    });
    far.on('data', (bytes) => {
      if (!asked || ended) return void near.write(bytes);
      ended = true;
      near.end(Buffer.concat([bytes, fatal()]));
      far.destroy();
    });
    near.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('error', () => near.destroy()).on('close', () => near.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onCleanup(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  );
  return (server.address() as AddressInfo).port;
}

test('a connection that is ended while it is made ready fails its statement, not the process', async () => {
  const db = await createDatabase();
  const port = await createTerminator(Number(new URL(db.hostedUrl).port));
  const sql = openPg({ url: onPort(db.hostedUrl, port) });
  onCleanup(() => sql.close());
  await expect(sql.query('select 1 as one')).rejects.toThrow();
  expect(await sql.query('select 1 as one')).toEqual([{ one: 1 }]);
});
