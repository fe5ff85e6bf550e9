import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ConsentFact } from '../../../src/core/consent/fact.ts';
import { standing, type Subject } from '../../../src/core/consent/standing.ts';
import { anySubject, fact, someFacts } from '../../support/consent-facts.ts';
import { type Installed, installed } from './support.ts';

/** As `rollcall.add_facts` takes them, those of one origin together. */
async function add(one: Installed, facts: readonly ConsentFact[]): Promise<void> {
  for (const origin of new Set(facts.map((each) => each.origin))) {
    const rows = facts
      .filter((each) => each.origin === origin)
      .map(({ at, receivedAt, ...rest }) => ({ ...rest, at, received_at: receivedAt }));
    await one.db.sql.query('select rollcall.add_facts($1, $2)', [origin, JSON.stringify(rows)]);
  }
}

async function asked(one: Installed, { person, address, topic, origin }: Subject): Promise<unknown> {
  const { rows } = await one.db.app.query(
    `select coalesce(said, 'unknown') as said, (extract(epoch from since) * 1000000)::int as since, bounces
       from rollcall.standing($1, $2, $3, $4)`,
    [person ?? null, address ?? null, topic ?? null, origin ?? null],
  );
  return { ...rows[0], since: rows[0].since ?? undefined };
}

test('the database comes to what the pure function does, whatever the order, the pieces and the repetitions', async () => {
  const one = await installed();
  const order = fc.infiniteStream(fc.nat({ max: 1_000 }));
  await fc.assert(
    fc.asyncProperty(
      someFacts,
      fc.array(anySubject, { minLength: 5, maxLength: 5 }),
      order,
      async (facts, subjects, places) => {
        // A fact of nobody cannot be stored, and concerns nobody.
        const stored = facts.filter(({ person, address }) => (person ?? address) !== undefined);
        await one.db.app.query('truncate rollcall.consent');
        const again = stored
          .filter((_, n) => n % 3 === 0)
          .map((each) => ({ ...each, receivedAt: each.receivedAt + 100 }));
        const mixed = [...stored, ...again]
          .map((each) => [places.next().value ?? 0, each] as const)
          .toSorted(([a], [b]) => a - b)
          .map(([, each]) => each);
        const cut = (places.next().value ?? 0) % (mixed.length + 1);
        await add(one, mixed.slice(0, cut));
        await add(one, mixed.slice(cut));
        for (const subject of subjects) expect(await asked(one, subject)).toEqual(standing(stored, subject));
      },
    ),
    { numRuns: 60 },
  );
});

test('what is told twice is one fact, at the time it first came; what is told of nobody is refused', async () => {
  const one = await installed();
  const told = fact('opt_out', { at: 5, receivedAt: 9 });
  await add(one, [told, { ...told, receivedAt: 7 }]);
  await add(one, [{ ...told, receivedAt: 8 }]);
  await add(one, [{ ...told, receivedAt: 6 }]);
  const { rows } = await one.db.app.query(
    `select extract(microseconds from received_at)::int as at from rollcall.consent`,
  );
  expect(rows).toEqual([{ at: 6 }]);
  await expect(add(one, [fact('opt_out', { person: undefined, address: undefined })])).rejects.toMatchObject({
    code: '23514',
  });
});

test('an opt-out is of whoever had the address when it was said', async () => {
  const one = await installed();
  const first = await one.insert('shared@x.y');
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query(`update auth.users set email = 'first@x.y' where id = $1`, [first]);
  const second = await one.insert('shared@x.y');
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query(`update rollcall.past_addresses set until = '2026-06-01'`);
  const no = (id: string, at: string | null) => ({
    id,
    kind: 'opt_out',
    address: ' Shared@x.y',
    at: at === null ? null : Date.parse(at) * 1_000,
  });
  await one.db.sql.query(`select rollcall.add_facts('destination:mailtrap', $1)`, [
    JSON.stringify([no('before', '2026-05-01Z'), no('after', '2026-07-01Z'), no('undated', null)]),
  ]);
  const { rows } = await one.db.app.query('select at::date::text, person, address from rollcall.consent order by at');
  expect(rows).toEqual([
    { at: '2026-05-01', person: first, address: 'shared@x.y' },
    { at: '2026-07-01', person: second, address: 'shared@x.y' },
    { at: null, person: second, address: 'shared@x.y' },
  ]);
});
