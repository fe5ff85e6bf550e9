import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { onCleanup } from '../../support/database.ts';
import { eventually } from '../../support/people.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';
import { createWorld } from '../../support/world.ts';

/** SPEC.md, "Bounds": what a worker takes at most, whatever is claimed, for one destination. */
const MOST_MIB = 512;
const PEOPLE = 300;
/** What is mapped of each, near the most that is sent of a contact; and what stays in the database. */
const MAPPED = 120_000;
const UNMAPPED = 10_000;

/** A destination that reads what it is told, and keeps nothing but the number and the sum. */
async function createSink(): Promise<{ readonly url: string; readonly heard: { count: number; bytes: number } }> {
  const heard = { count: 0, bytes: 0 };
  const server = createServer((incoming, outgoing) => {
    incoming.on('data', (chunk: Buffer) => (heard.bytes += chunk.length));
    incoming.on('end', () => {
      heard.count += 1;
      outgoing.writeHead(204).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onCleanup(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, heard };
}

/** The most memory that a process has had in use so far, in MiB (proc_pid_status(5), VmHWM). */
async function peakMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN) / 1_024;
}

test.skipIf(process.platform !== 'linux')(
  'a worker that delivers 300 contacts, each as large as one may be, takes no more memory than promised',
  async () => {
    const sink = await createSink();
    const world = await createWorld({
      more: 'brakes: off',
      instead: `hook:
  type: webhook
  url: ${sink.url}
  secret: whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA==
  requests_per_second: 5000
  concurrency: 50
  max_bytes: 1000000`,
    });
    await world.db.app.query(
      `insert into auth.users (id, email, raw_user_meta_data, created_at)
       select gen_random_uuid(), 'p' || i || '@example.com',
              jsonb_build_object('full_name', repeat(md5(i::text), $2::int / 32), 'n', 0, 'kept', repeat('x', $3::int)), now()
         from generate_series(1, $1::int) i`,
      [PEOPLE, MAPPED, UNMAPPED],
    );
    const worker = await startWorkerProcess(world.yaml);
    await eventually(() => sink.heard.count >= PEOPLE);
    await world.settled();
    expect(sink.heard.bytes).toBeGreaterThan(PEOPLE * MAPPED);
    const peak = await peakMiB(worker.pid);
    expect(peak).toBeLessThan(MOST_MIB);
    expect(worker.lines.filter((line) => line.includes('"warn"') || line.includes('"error"'))).toEqual([]);
  },
);
