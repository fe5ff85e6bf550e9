import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rollcall, tempFile, tempFolder } from '../../cli/run-cli.ts';
import { backUp } from '../../support/back-up.ts';
import { onCleanup } from '../../support/database.ts';
import { foundIn } from '../../support/dump.ts';
import { canEmail, erase, ERASE_KEY, erased, eraseWorld, startFast, statusOf, until } from '../../support/erasing.ts';

const kept = (target: string, more = ''): string => `erasure: { key: "${ERASE_KEY}", export: "${target}" ${more} }`;

test('an old backup is restored: by the kept file the erased are erased again, and an opt-out since holds, before anything is sent', async () => {
  const file = join(await tempFolder(), 'kept.jsonl');
  const world = await eraseWorld({ more: kept(file) });
  const worker = await startFast(world);
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  const bob = await world.signUp('bob@example.com', { full_name: 'Bob' });
  await world.signUp('cid@example.com', { full_name: 'Cid' });
  await world.settled();
  const restore = await backUp(world);
  await erase(world, 'ann@example.com');
  await erased(world);
  // Told by the app of a person, and by the destination of an address.
  await world.db.sql.query(`select rollcall.add_facts('app', $1)`, [
    JSON.stringify([{ id: 'no', kind: 'opt_out', person: bob }]),
  ]);
  await world.db.sql.query(`select rollcall.receive_facts(rollcall.with_key('mailtrap', $2), $1)`, [
    JSON.stringify([{ id: 'left', kind: 'opt_out', address: 'cid@example.com' }]),
    ERASE_KEY,
  ]);
  await expect.poll(async () => (await readFile(file, 'utf8')).split('\n').length, { timeout: 10_000 }).toBe(7);
  await worker.stop();
  const text = await readFile(file, 'utf8');
  expect(foundIn(text, ['ann@', 'bob@', 'cid@', bob, ERASE_KEY])).toEqual([]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);

  await restore();
  // What the vendor has forgotten too.
  world.sandbox.state.unsuppress('cid@example.com');
  const from = world.sandbox.state.calls().length;
  const config = await tempFile('rollcall.yaml', world.yaml);
  await writeFile(file, text.slice(0, -20));
  const damaged = await rollcall(['recover', '--yes', '--config', config]);
  expect([damaged.code, damaged.stderr]).toEqual([1, expect.stringContaining('RC_KEPT_UNREADABLE')]);
  await expect(startFast(world)).rejects.toMatchObject({ code: 'RC_NOT_BOUND' });
  await writeFile(file, text);
  const ran = await rollcall(['recover', '--yes', '--config', config]);
  expect(ran).toMatchObject({ code: 0 });
  const again = await startFast(world);
  await world.settled();
  await erased(world);
  expect(world.sandbox.state.contact('ann@example.com')).toBeUndefined();
  expect(await canEmail(world, 'ann@example.com')).toBe(false);
  expect(await canEmail(world, 'bob@example.com')).toBe(false);
  expect(await canEmail(world, 'cid@example.com')).toBe(false);
  expect(['bob', 'cid'].map((name) => statusOf(world, `${name}@example.com`))).toEqual([
    'unsubscribed',
    'unsubscribed',
  ]);
  // Nobody was told anything else first.
  const sent = world.sandbox.state.calls().slice(from);
  expect(
    sent.filter(({ method, path, body }) => method !== 'GET' && path.includes('ann') && body.includes('Ann')),
  ).toEqual([]);
  const { rows } = await world.db.app.query('select by from rollcall.erasures order by requested_at');
  expect(rows.map(({ by }) => by as string)).toEqual(['recover']);
  await again.stop();
});

test('behind a URL: put with the token, read back by recover; what cannot be written is tried again', async () => {
  let stored = '';
  let refuse = 1;
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.headers.authorization} ${String(request.headers['x-upsert'])}`);
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      if (request.method === 'PUT' && refuse > 0) {
        refuse -= 1;
        response.writeHead(503).end();
        return;
      }
      if (request.method === 'PUT') stored = Buffer.concat(parts).toString('utf8');
      response.end(request.method === 'GET' ? stored : '{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onCleanup(async () => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/storage/v1/object/rollcall/kept.jsonl`;
  const world = await eraseWorld({ more: kept(url, ', export_token: "0123456789abcdef"') });
  const worker = await startFast(world);
  await until(world, `(select written_at > '-infinity' from rollcall.kept)`);
  await worker.stop();
  expect(stored).toMatch(/^\{"rollcall":"kept","version":1,"check":"[0-9a-f]{64}"\}\n\{"end":0\}\n$/);
  expect(seen.slice(0, 2)).toEqual(['PUT Bearer 0123456789abcdef true', 'PUT Bearer 0123456789abcdef true']);
  expect(foundIn(world.logs.join('\n'), ['0123456789abcdef', ERASE_KEY])).toEqual([]);
  const config = await tempFile('rollcall.yaml', world.yaml);
  await world.signUp('ann@example.com');
  await world.db.sql.query(`select rollcall.add_facts('app', $1)`, [
    JSON.stringify([{ id: 'no', kind: 'opt_out', address: 'ann@example.com' }]),
  ]);
  const written = await rollcall(['erase', '--export', '--config', config]);
  expect([written.code, written.stdout]).toEqual([0, expect.stringContaining('1 line.')]);
  await world.db.app.query('delete from rollcall.consent');
  await world.db.app.query('select rollcall.note_set_back()');
  const ran = await rollcall(['recover', '--yes', '--config', config]);
  expect(ran).toMatchObject({ code: 0 });
  expect(await canEmail(world, 'ann@example.com')).toBe(false);
  const { rows } = await world.db.app.query('select kind, origin, left(address, 1) as form from rollcall.consent');
  expect(rows).toEqual([{ kind: 'opt_out', origin: 'app', form: '#' }]);
  // Hashed with another key, it is of no use.
  await world.db.app.query('select rollcall.note_set_back()');
  stored = stored.replace(/"check":"../, '"check":"00');
  const other = await rollcall(['recover', '--yes', '--config', config]);
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('RC_ERASURE_KEY_WRONG')]);
  const without = await rollcall(['recover', '--yes', '--without-kept', '--config', config]);
  expect(without.code).toBe(0);
});
