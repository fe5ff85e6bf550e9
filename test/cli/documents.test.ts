import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { rollcall, tempFile } from './run-cli.ts';

const read = (path: string): string => readFileSync(join(import.meta.dirname, '..', '..', path), 'utf8');

/** The tables that the documents' examples speak of. */
const TABLES = `
  create schema shop;
  create table profiles (id uuid primary key references auth.users, full_name text);
  create table customers (id int primary key, email text, full_name text, company text, plan text, mrr numeric, address jsonb,
    archived boolean, marketing_opt_in boolean, created_at timestamptz);
  create table shop.customers (like customers including all);
  create table orders (id int primary key, customer_email text, total numeric, status text, items jsonb, created_at timestamptz);
  create view order_totals as select customer_email, sum(total) as total from orders group by 1;
  create schema storage;
  create table storage.objects (id uuid primary key, bucket_id text, name text, owner uuid, owner_id text, metadata jsonb,
    created_at timestamptz, updated_at timestamptz, version text);
  grant usage on schema shop, storage to hosted;
  grant select, trigger on all tables in schema public, shop, storage to hosted;
`;

const blocks = ['README.md', 'docs/mapping.md', 'docs/segments.md'].flatMap((file) =>
  [...read(file).matchAll(/(?<=^|\n)```yaml\n([\s\S]*?)```/g)].map(([, text = ''], n) => ({
    name: `${file} ${n + 1}`,
    text,
  })),
);

test('the documents have examples', () => {
  expect(blocks.length).toBeGreaterThan(10);
});

test.each(blocks)('$name loads without a warning and fits its tables', async ({ text }) => {
  const db = await createDatabase();
  await db.app.query(TABLES);
  const file = await tempFile('rollcall.yaml', text);
  const env = { DATABASE_URL: db.hostedUrl, MAILTRAP_TOKEN: 'token-0123456789', BREVO_API_KEY: 'xkeysib-0123456789' };
  const { code, stdout, stderr } = await rollcall(['config', 'check', '--json', '--config', file], { env });
  expect({ code, stderr, stdout: code === 0 ? '' : stdout }).toEqual({ code: 0, stderr: '', stdout: '' });
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, warnings: [], database: { checked: true } });
});
