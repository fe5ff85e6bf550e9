import { deepEqual } from 'node:assert/strict';
import { comparing, type RemoteRow } from '../../core/exports.ts';
import { createTableReader } from '../../transport/table.ts';
import type { Bench } from '../bench.ts';
import { bare, delivery } from '../delivery.ts';
import type { Case } from '../case.ts';
import { must } from '../must.ts';
import { Person } from '../person.ts';

const SUPPRESSIONS = '`suppressions.page` reads one page, and names the next until there is none';
const MOST_PAGES = 200;

/** Reading all who are there, and all who must not be mailed. */
export const everybody: readonly Case[] = [
  {
    name: 'suppressions: every one is read once, over all pages',
    write: SUPPRESSIONS,
    needs: ({ capabilities, suppressions }) =>
      suppressions !== undefined || capabilities.consent.read.includes('suppressions'),
    async run(bench) {
      deepEqual(await suppressed(bench), []);
      const reasons = ['unsubscribe', 'complaint', 'bounce'] as const;
      const left = Array.from({ length: 130 }, (_, n) => `left${n}+x@example.com`);
      for (const [n, address] of left.entries()) bench.vendor.optOut(address, reasons[n % 3]!);
      const rows = await suppressed(bench);
      deepEqual(rows.map(({ address }) => address).toSorted(), left.toSorted());
      for (const { address, reason } of rows) {
        const wanted = reasons[left.indexOf(address) % 3];
        must(
          reason === wanted || reason === 'unsubscribe' || reason === 'manual',
          `the reason of ${address} is ${wanted}`,
          reason,
        );
      }
    },
  },
  {
    name: 'export: has everybody, with the same values as were sent',
    write:
      '`exports.start` and `poll` lead to a link, `rows` reads the file by its header, or `pages.page` reads a page; `differs` compares what would be sent',
    needs: (destination) => comparing(destination) !== undefined,
    async run(bench) {
      const { destination, config, plan } = bench;
      deepEqual(await contactsOf(bench), []);
      const attributes = {
        NOTE: 'a "quoted", text\nof two lines',
        SCORE: 41,
        RATIO: 0.5,
        MEMBER: false,
        BIRTHDAY: '2026-02-28',
        EXTRA: { a: ['ü'] },
      };
      await new Person(bench, '1').arrive({ attributes });
      const optsOut = destination.capabilities.consent.tell;
      await new Person(bench, '2').arrive({ address: 'no+x@example.com', consent: optsOut ? 'opted_out' : 'basis' });
      const rows = await contactsOf(bench);
      deepEqual(rows.map(({ address }) => address).toSorted(), ['ann@example.com', 'no+x@example.com']);
      const ann = rows.find(({ address }) => address === 'ann@example.com')!;
      const wanted = bare(delivery({ attributes })).attributes;
      deepEqual(comparing(destination)!.differs(wanted, ann, plan, config), []);
      deepEqual(comparing(destination)!.differs({ ...wanted, NOTE: 'other' }, ann, plan, config), ['NOTE']);
      const other = rows.find(({ address }) => address !== 'ann@example.com')!;
      must(
        ann.status !== 'unsubscribed' && (!optsOut || other.status !== 'subscribed'),
        'consent is as it is there',
        rows,
      );
    },
  },
  {
    name: 'export: has everybody once, over all pages',
    write: '`pages.page` names the next page until there is none; whoever comes again does so on the page after',
    needs: (destination) => destination.pages !== undefined,
    async run(bench) {
      const many = Array.from({ length: 260 }, (_, n) => `P${n}+x@example.com`);
      for (const [n, address] of many.entries()) await new Person(bench, String(n + 1)).arrive({ address });
      bench.vendor.optOut(many[3]!, 'unsubscribe');
      const rows = await contactsOf(bench);
      const ids = new Set(rows.map(({ id }) => id));
      deepEqual([ids.size, ids.has(null)], [many.length, false]);
      for (const { address, id, status } of rows) {
        must(bench.vendor.contact(id!)?.address === address, 'an id is that of the address', { address, id });
        const out = address.toLowerCase() === many[3]!.toLowerCase();
        must(status === (out ? 'unsubscribed' : 'subscribed'), `the consent of ${address} is as it is there`, status);
      }
    },
  },
];

async function suppressed(bench: Bench): Promise<{ readonly address: string; readonly reason: string }[]> {
  const plan = bench.destination.suppressions;
  must(plan !== undefined, '`capabilities.consent.read` names `suppressions`, so there is a plan to read them');
  const rows: { address: string; reason: string }[] = [];
  let after: string | undefined;
  for (let pages = 0; ; pages += 1) {
    must(pages < MOST_PAGES, 'the pages have an end');
    const page = await bench.read(plan.page(after, bench.config));
    rows.push(...page.rows);
    after = page.next;
    if (after === undefined) return rows;
  }
}

/** All who are there, by the file or by pages. */
async function contactsOf(bench: Bench): Promise<readonly RemoteRow[]> {
  const { destination, config, plan } = bench;
  const { pages } = destination;
  if (pages === undefined) {
    const { header, cells } = await exported(bench);
    const reader = destination.exports!.rows(header, plan);
    return cells.map((each) => reader.read(each)!);
  }
  const rows: RemoteRow[] = [];
  let after: string | undefined;
  for (let n = 0; ; n += 1) {
    must(n < MOST_PAGES, 'the pages have an end');
    const page = await bench.read(pages.page(after, plan, config));
    rows.push(...page.rows);
    after = page.next;
    if (after === undefined) return rows;
  }
}

async function exported(
  bench: Bench,
): Promise<{ readonly header: readonly string[]; readonly cells: readonly (readonly string[])[] }> {
  const { destination, config } = bench;
  const plan = destination.exports!;
  const id = await bench.read(plan.start(config));
  const tables = createTableReader();
  try {
    for (let polls = 0; polls < 50; polls += 1) {
      const progress = await bench.read(plan.poll(id, config));
      must(progress.state !== 'failed', 'the export goes well', progress);
      if (progress.state !== 'finished') continue;
      const lines: (readonly string[])[] = [];
      for await (const line of tables.read({
        url: progress.url,
        from: plan.start(config).request.url,
        deadlineMs: 10_000,
      }))
        lines.push(line);
      const [header = [], ...cells] = lines;
      return { header, cells };
    }
    must(false, 'an export ends');
  } finally {
    await tables.close();
  }
}
