import { expect, test } from 'vitest';
import { old, type Old, work } from './old-contacts.ts';

const PAGED = ['sendry', 'brevo', 'tajo'];

interface Found {
  readonly there: number;
  readonly compared: number;
  readonly drift: Readonly<Record<string, number>>;
  readonly staleAttributes: Readonly<Record<string, number>>;
  readonly repaired?: Readonly<Record<string, number>>;
}

async function audit({ run }: Old, ...argv: string[]): Promise<Found> {
  const { stdout, stderr } = await run(['audit', '--json', ...argv]);
  expect(stderr).not.toContain('error');
  return (JSON.parse(stdout) as { destinations: Found[] }).destinations[0]!;
}

/** By hand, at the destination. */
async function remove({ sandbox }: Old, id: string, address: string): Promise<void> {
  const { url, token, standIn } = sandbox.of(id);
  const contact = standIn.contact(address)!.id;
  const [path, headers] =
    id === 'sendry'
      ? [`/v1/contacts/${contact}`, { authorization: `Bearer ${token}` }]
      : [`/contacts/${contact}?identifierType=contact_id`, { 'api-key': token }];
  expect((await fetch(url + path, { method: 'DELETE', headers: headers as Record<string, string> })).ok).toBe(true);
}

const DRIFT = {
  missing: 0,
  stale: 0,
  duplicate: 0,
  old_address: 0,
  unsubscribed_there: 0,
  subscribed_there: 0,
  left_over: 0,
  unknown: 0,
};

test.each(PAGED)('%s: an audit finds each kind of drift in its pages, and repairs it', async (id) => {
  const made = await old([id]);
  const { world, sandbox, put, facts } = made;
  const { standIn } = sandbox.of(id);
  for (const name of ['fine', 'gone', 'stale', 'left']) {
    await world.signUp(`${name}@example.com`, { full_name: name, n: '1' });
  }
  await work(world);
  expect(await audit(made)).toMatchObject({ there: 4, compared: 4, drift: DRIFT });
  await remove(made, id, 'gone@example.com');
  await put(id, 'stale@example.com', { FIRSTNAME: 'other', N: '1' });
  standIn.optOut('left@example.com', 'unsubscribe');
  await put(id, 'stranger@elsewhere.org');
  expect(await audit(made, '--repair')).toMatchObject({
    there: 4,
    drift: { ...DRIFT, missing: 1, stale: 1, unsubscribed_there: 1, unknown: 1 },
    staleAttributes: { FIRSTNAME: 1 },
    repaired: { anew: 1, resend: 1, opted_out: 1, remove: 0 },
  });
  // Who was found to have left there has left, for whatever asks: in the ledger, in what is shown about them, and in the app.
  expect(await facts()).toMatchObject([
    { kind: 'opt_out', address: 'left@example.com', known: true, origin: `destination:${id}` },
  ]);
  const { rows } = await world.db.app.query(`select rollcall.can_email('left@example.com') as can`);
  expect(rows).toEqual([{ can: false }]);
  expect((await made.run(['export', 'left@example.com'])).stdout).toContain(`"origin": "destination:${id}"`);
  await work(world);
  expect((await audit(made)).drift).toEqual({ ...DRIFT, unknown: 1 });
  // A newer yes of theirs goes before it, as before any other no.
  await world.db.sql.query(`select rollcall.capture(rollcall.add_facts('app', $1))`, [
    JSON.stringify([{ id: '1', kind: 'opt_in', address: 'left@example.com', at: Date.now() * 1_000 + 999 }]),
  ]);
  await work(world);
  const { rows: after } = await world.db.app.query(`select rollcall.can_email('left@example.com') as can`);
  expect(after).toEqual([{ can: true }]);
  expect(standIn.contact('left@example.com')?.status).toBe('subscribed');
});

test.each(PAGED)('%s: a restored database reads its pages first, and who left since is in the ledger', async (id) => {
  const made = await old([id]);
  const { world, sandbox, run, put, facts, writes } = made;
  const { standIn } = sandbox.of(id);
  for (const name of ['fine', 'stale', 'left']) await world.signUp(`${name}@example.com`, { full_name: name, n: '1' });
  await work(world);
  await world.db.app.query(`update rollcall.install set identity = identity || '{"timeline": "0000FFFF"}'`);
  await put(id, 'stale@example.com', { FIRSTNAME: 'newer' });
  standIn.optOut('left@example.com', 'complaint');
  writes();
  const { code, stdout } = await run(['recover', '--yes', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    recovered: true,
    destinations: [{ read: true, there: 3, equal: 2, different: 1, missing: 0, optedOut: 1, unknown: 0 }],
  });
  expect(await facts()).toMatchObject([{ address: 'left@example.com', known: true, origin: `destination:${id}` }]);
  await work(world);
  expect(writes()).toHaveLength(1);
  expect(standIn.contact('stale@example.com')?.attributes).toMatchObject({ FIRSTNAME: 'stale' });
  expect(standIn.contact('left@example.com')?.status).toBe('unsubscribed');
});
