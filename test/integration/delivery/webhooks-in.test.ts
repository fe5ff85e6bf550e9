import { expect, test } from 'vitest';
import { eventually } from '../../support/people.ts';
import { SENDERS, told } from '../../support/told.ts';

test.each(SENDERS)('who leaves %s leaves all of them, and nobody is told what they have told', async (from) => {
  const { world, sandbox, leave, status, canEmail } = await told();
  const ann = await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.signUp('bob@example.com', { full_name: 'Bob' });
  await world.settled();
  expect([await canEmail(ann), await canEmail('Ann@example.com'), await canEmail('nobody@example.com')]).toEqual([
    true,
    true,
    false,
  ]);
  const before = sandbox.calls().length;
  expect(await leave(from, 'ann@example.com', 'unsubscribe', 3)).toEqual([200, 200, 200]);
  await eventually(() => SENDERS.every((each) => status(each, 'ann@example.com') === 'unsubscribed'));
  await world.settled();
  const calls = sandbox.calls().slice(before);
  expect(calls.filter(({ destination }) => destination === from)).toEqual([]);
  expect(new Set(calls.map(({ destination }) => destination)).size).toBe(SENDERS.length - 1);
  expect([await canEmail(ann), await canEmail('ann@example.com'), await canEmail('bob@example.com')]).toEqual([
    false,
    false,
    true,
  ]);
  expect(SENDERS.map((each) => status(each, 'bob@example.com'))).toEqual(SENDERS.map(() => 'subscribed'));
  const { rows } = await world.db.app.query('select kind, person, address, origin from rollcall.consent');
  expect(rows).toEqual([{ kind: 'opt_out', person: ann, address: 'ann@example.com', origin: `destination:${from}` }]);
});

test('a bounce stops mail to the address, and is nobody’s no', async () => {
  const { world, sandbox, leave, status, canEmail } = await told({}, ['mailtrap', 'brevo']);
  const ann = await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  const before = sandbox.calls().length;
  await leave('mailtrap', 'ann@example.com', 'bounce');
  expect(await canEmail(ann)).toBe(false);
  await world.settled();
  expect(sandbox.calls().slice(before)).toEqual([]);
  expect(status('brevo', 'ann@example.com')).toBe('subscribed');
  await world.db.app.query(`update auth.users set email = 'anna@example.com' where id = $1`, [ann]);
  await world.settled();
  expect(await canEmail(ann)).toBe(true);
});

test('what is forged, too large or for nobody is refused, counted and forgotten', async () => {
  const { world, worker, sandbox } = await told({ more: 'server: { metrics_token: a-token-for-metrics }' }, [
    'mailtrap',
  ]);
  const ask = async (path: string, headers: Record<string, string>, body: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${worker.healthPort}${path}`, { method: 'POST', headers, body })).status;
  const [forged] =
    sandbox
      .of('mailtrap')
      .standIn.webhooks?.(
        [{ address: 'ann@example.com', reason: 'unsubscribe' }],
        'another-secret-than-ours',
        Date.now(),
      ) ?? [];
  expect(await ask('/webhooks/mailtrap', forged!.headers, forged!.body)).toBe(401);
  expect(await ask('/webhooks/mailtrap', {}, '{}')).toBe(401);
  expect(await ask('/webhooks/nobody', {}, '{}')).toBe(404);
  expect(await ask('/webhooks/mailtrap', {}, 'x'.repeat(3 * 2 ** 20))).toBe(413);
  const { rows } = await world.db.app.query('select from rollcall.consent');
  expect(rows).toEqual([]);
  // The connection is of no use after a body that nobody has read.
  const metrics = await (
    await fetch(`http://127.0.0.1:${worker.healthPort}/metrics`, {
      headers: { authorization: 'Bearer a-token-for-metrics' },
    })
  ).text();
  for (const [result, n] of [
    ['forged', 1],
    ['unsigned', 1],
    ['oversized', 1],
  ] as const) {
    expect(metrics).toContain(`rollcall_webhooks_total{destination="mailtrap",result="${result}"} ${n}`);
  }
  expect(world.logs.filter((line) => line.includes('a webhook was refused'))).toHaveLength(3);
  expect(world.logs.join('\n')).not.toContain('ann@');
});

test('a sweep finds everybody in step, whatever has been told', async () => {
  const { world, sandbox, leave } = await told({}, ['mailtrap', 'brevo']);
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  await leave('mailtrap', 'ann@example.com');
  await world.settled();
  const before = sandbox.calls().length;
  await world.db.app.query(`select rollcall.want_sweep('bound', null)`);
  await eventually(async () => {
    const { rows } = await world.db.app.query(
      "select sweep_report from rollcall.install where sweep_until is null and swept_at > now() - interval '1 minute'",
    );
    return rows.length > 0;
  });
  await world.settled();
  expect(sandbox.calls().slice(before)).toEqual([]);
});

test.each(SENDERS)('who has left %s while no webhook told of it is found by reading there', async (from) => {
  const { world, worker, sandbox, status, canEmail } = await told();
  await worker.stop();
  const ann = await world.signUp('ann@example.com', { full_name: 'Ann' });
  const bob = await world.signUp('bob@example.com', { full_name: 'Bob' });
  const times = { pullEveryMs: 100, pullLookMs: 50 };
  await world.start(world.config, { times });
  await world.settled();
  sandbox.of(from).standIn.optOut('ann@example.com', 'unsubscribe');
  await eventually(() => SENDERS.every((each) => status(each, 'ann@example.com') === 'unsubscribed'));
  await world.settled();
  expect([await canEmail(ann), await canEmail(bob)]).toEqual([false, true]);
  const { rows } = await world.db.app.query(
    'select distinct kind, person, origin from rollcall.consent where origin = $1',
    [`destination:${from}`],
  );
  expect(rows).toEqual([{ kind: 'opt_out', person: ann, origin: `destination:${from}` }]);
});

test('whom we keep unsubscribed, as they never said yes, is read back as nobody’s no', async () => {
  const { world, worker, sandbox, status, canEmail } = await told({ consent: 'nobody' });
  await worker.stop();
  const ann = await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.start(world.config, {
    times: { pullEveryMs: 100, pullLookMs: 50 },
    health: { port: 0, host: '127.0.0.1' },
  });
  await world.settled();
  expect(SENDERS.map((each) => status(each, 'ann@example.com'))).toEqual(SENDERS.map(() => 'unsubscribed'));
  const reads = (): number =>
    sandbox.calls().filter(({ method, path }) => method === 'GET' && !path.includes('ann')).length;
  const before = reads();
  await eventually(() => reads() > before + 3 * SENDERS.length);
  expect((await world.db.app.query('select from rollcall.consent')).rows).toEqual([]);
  expect(await canEmail(ann)).toBe(false);
});

test('workers take turns to read, and what is refused is tried again without a word about contacts', async () => {
  const { world, worker, sandbox, status } = await told({}, ['mailtrap', 'sendry']);
  await worker.stop();
  sandbox.addFaults([{ match: { destination: 'mailtrap', path: '/suppressions' }, status: 403, count: 1 }]);
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  const asked = (): number => sandbox.calls().filter(({ path }) => path.includes('/suppressions')).length;
  for (let n = 0; n < 3; n += 1) await world.start(world.config, { times: { pullLookMs: 20 } });
  await eventually(() => world.logs.some((line) => line.includes('could not read who must not be mailed')));
  await world.settled();
  expect(status('mailtrap', 'ann@example.com')).toBe('subscribed');
  expect(asked()).toBe(1);
  await world.db.app.query('update rollcall.pulls set until = now()');
  await eventually(async () => {
    const { rows } = await world.db.app.query('select from rollcall.pulls where ended_at is not null');
    return rows.length === 2;
  });
  expect(asked()).toBe(2);
});
