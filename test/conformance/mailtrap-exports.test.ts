import { expect, onTestFinished, test } from 'vitest';
import { mailtrap } from '../../src/destinations/mailtrap/index.ts';
import { createTableReader } from '../../src/transport/table.ts';
import { world } from './world.ts';

const PLAN = { T: 'text', I: 'integer', F: 'float', B: 'boolean', D: 'date', S: 'timestamp', J: 'json' } as const;

/** Makes an export, polls it until it has a link, and reads its rows. */
async function exported({ read, config }: Awaited<ReturnType<typeof world>>) {
  const plan = mailtrap.exports!;
  const id = await read(plan.start(config()));
  const states: string[] = [];
  for (;;) {
    const progress = await read(plan.poll(id, config()));
    states.push(progress.state);
    if (progress.state !== 'finished') continue;
    const tables = createTableReader();
    onTestFinished(() => tables.close());
    const cells: (readonly string[])[] = [];
    const from = plan.start(config()).request.url;
    for await (const row of tables.read({ url: progress.url, from, deadlineMs: 5_000 })) cells.push(row);
    const reader = plan.rows(cells[0] ?? [], PLAN);
    return { states, attributes: reader.attributes, rows: cells.slice(1).map((row) => reader.read(row)!) };
  }
}

test.each([{}, { account_id: 7 }])('what was sent is read back as the same, of every type (%j)', async (options) => {
  const one = await world(options);
  for (const [name, type] of Object.entries(PLAN)) one.state.addField(name, mailtrap.fields!.typeFor(type) as 'text');
  const attributes = {
    T: 'a "quoted", text\nof two lines',
    I: 41,
    F: 0.1,
    B: false,
    D: '2026-02-28',
    S: '2026-02-28T23:59:59.999999+00:00',
    J: { a: ['ü', 1.5] },
  };
  const { id } = await one.accepted({ address: 'a@x.io', attributes }, PLAN);
  await one.accepted({ address: 'no@x.io', consent: 'opted_out' });
  const { states, attributes: columns, rows } = await exported(one);
  expect(states).toEqual(['running', 'finished']);
  expect(columns).toEqual(Object.keys(PLAN).toSorted());
  expect(rows).toMatchObject([
    { address: 'a@x.io', id, status: 'subscribed' },
    { address: 'no@x.io', status: 'unsubscribed' },
  ]);
  const differs = (wanted: typeof attributes | { T: null }): readonly string[] =>
    mailtrap.exports!.differs(wanted, rows[0]!, PLAN, one.config());
  expect(differs(attributes)).toEqual([]);
  expect(differs({ T: null })).toEqual(['T']);
  expect(differs({ ...attributes, I: 42, B: true, S: '2026-03-01T00:00:00+00:00' })).toEqual(['I', 'B', 'S']);
});

test('an account without contacts has an export with a header', async () => {
  expect(await exported(await world())).toMatchObject({ rows: [] });
});

test('one export at a time: the second one says to wait; a wrong key is no reason to', async () => {
  const one = await world({}, { now: () => 0 });
  const plan = mailtrap.exports!;
  await one.read(plan.start(one.config()));
  await expect(one.read(plan.start(one.config()))).rejects.toThrow(/"kind":"retry".*"code":"export_busy"/);
  const wrong = await world({ api_token: 'nonsense' });
  await expect(wrong.read(plan.start(wrong.config()))).rejects.toThrow(/"kind":"config".*"code":"unauthorized"/);
  await expect(one.read(plan.poll('999', one.config()))).rejects.toThrow(/"kind":"reject".*"code":"http_404"/);
});
