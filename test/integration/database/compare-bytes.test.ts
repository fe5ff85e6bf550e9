import { expect, test } from 'vitest';
import { createRemoteStore } from '../../../src/sql/store/remote.ts';
import { installed } from './support.ts';

/** Of values, near the most that a contact may have. */
const LARGE = 120_000;

test('a page of contacts that are compared is short where they are large, and all of them are seen once', async () => {
  const one = await installed();
  await one.db.app.query(
    `insert into auth.users (id, email, raw_user_meta_data, created_at)
     select gen_random_uuid(), 'p' || i || '@example.com', jsonb_build_object('full_name', repeat('x', $1::int) || i), now()
       from generate_series(1, 300) i`,
    [LARGE],
  );
  await one.foldAll();
  const remote = createRemoteStore(one.db.sql, one.store, { configHash: '', projectRef: '', environment: '' });
  const reading = await remote.open(one.destination);
  await remote.complete(reading, 0);
  const pages: number[] = [];
  const seen = new Set<string>();
  for (let after: string | null = '0'; after !== null;) {
    const page: Awaited<ReturnType<typeof remote.compare>> = await remote.compare(reading, after, 1_000);
    pages.push(page.contacts.length);
    for (const { contactId } of page.contacts) seen.add(contactId);
    after = page.lastId;
  }
  expect(seen.size).toBe(300);
  expect(pages).toEqual([140, 140, 20, 0]);
});
