import { deepEqual } from 'node:assert/strict';
import type { RemoteContact } from '../../core/destination.ts';
import { readLists } from '../../engine/list-ids.ts';
import { planFields } from '../../engine/fields.ts';
import { bare, type Bench, delivery, PLAN } from '../bench.ts';
import type { Case } from '../case.ts';
import { must } from '../must.ts';
import { Person } from '../person.ts';
import { only } from '../shown.ts';
import { BODIES } from '../spoil.ts';
import { createTableReader } from '../../transport/table.ts';

const EXCHANGE =
  'an exchange gives the value only for the vendor’s own answer, else the outcome that stopped it (`stopped` of core/failure.ts)';
const LISTS =
  '`lists.all` reads every page, `lists.names` gives the names in the config and `lists.resolve` puts ids in their place (`idsOfLists`)';
const SUPPRESSIONS = '`suppressions.page` reads one page, and names the next until there is none';
const MOST_PAGES = 200;

/** Each exchange that reads, whatever it reads. */
function exchanges({ destination, config }: Bench): readonly (readonly [string, Parameters<Bench['ask']>[0]])[] {
  const known: RemoteContact = { address: 'ann@example.com', id: null };
  return [
    ...(destination.lookup === undefined ? [] : [['lookup', destination.lookup(known, config)] as const]),
    ...(destination.lists === undefined ? [] : [['lists.all', destination.lists.all(config)] as const]),
    ...(destination.fields === undefined ? [] : [['fields.list', destination.fields.list(config)] as const]),
    ...(destination.suppressions === undefined
      ? []
      : [['suppressions.page', destination.suppressions.page(undefined, config)] as const]),
    ...(destination.exports === undefined ? [] : [['exports.start', destination.exports.start(config)] as const]),
  ];
}

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

export const reads: readonly Case[] = [
  {
    name: 'probe: the right key is accepted, and a wrong one is not',
    write: '`probe` is a cheap read that needs the key and its scope',
    async run(bench) {
      const { destination, config, kit, url, secret } = bench;
      const request = destination.probe(config);
      if (request === null) return;
      const right = await bench.send(request);
      must(
        right.answered && right.response.status >= 200 && right.response.status < 300,
        'the right key is accepted',
        right,
      );
      const wrong = destination.config.parse({ ...destination.standIn(url, wrongly(secret)), ...kit.options });
      const refused = await bench.send(destination.probe(wrong) ?? request, wrong);
      must(refused.answered && [401, 403].includes(refused.response.status), 'a wrong key is refused', refused);
    },
  },
  {
    name: 'reads: no answer makes one throw, and none is taken for what it is not',
    write: EXCHANGE,
    async run(bench) {
      for (const [name, exchange] of exchanges(bench)) {
        for (const status of [100, 302, 400, 401, 403, 429, 500, 503, 600]) {
          for (const body of BODIES) {
            const read = exchange.interpret({ status, headers: {}, body });
            must(!read.ok && read.outcome.kind !== 'delivered', `${name} gives no value for ${status}`, {
              status,
              body: body.slice(0, 100),
              read,
            });
          }
        }
        for (const body of BODIES) {
          const read = exchange.interpret({ status: 200, headers: {}, body });
          const foreign = body.trim() === '' || body.startsWith('<') || body === '{';
          must(!read.ok || !foreign, `${name} gives no value for a page or for nothing`, {
            body: body.slice(0, 100),
            read,
          });
        }
      }
    },
  },
  {
    name: 'lookup: finds who is there with their consent, and nobody where nobody is',
    write: '`lookup` reads by the id, else by the address; 404 is null, and anything but a clear "subscribed" is a no',
    needs: (destination) => destination.lookup !== undefined,
    async run(bench) {
      const { destination, config } = bench;
      const ann = new Person(bench);
      const remote = await ann.arrive({ address: 'a+b@example.com' });
      const ways = [remote, { ...remote, id: null }];
      for (const way of ways) {
        const found = await bench.read(destination.lookup!(way, config));
        must(found?.subscription === 'subscribed', 'they are subscribed', found);
        // Where an operation has `find`, its id comes from here.
        must(
          found.id === null || bench.vendor.contact(found.id) !== undefined,
          'an id that is found names them',
          found,
        );
      }
      bench.vendor.optOut('a+b@example.com', 'unsubscribe');
      for (const way of ways) {
        const found = await bench.read(destination.lookup!(way, config));
        must(!destination.capabilities.consent.tell || found?.subscription === 'unsubscribed', 'they have left', found);
      }
      must(
        (await bench.read(destination.lookup!({ address: 'nobody@example.com', id: null }, config))) === null,
        'nobody is there',
      );
    },
  },
  {
    name: 'fields: are created with the types of the plan, found again, and checked',
    write: '`fields.list` reads them, `fields.create` makes one, `typeFor` gives the vendor’s word for a type',
    needs: ({ fields }) => fields !== undefined,
    async run(bench) {
      const { destination, config } = bench;
      const plan = destination.fields!;
      // The suite made those of its plan with `create`.
      const found = await bench.read(plan.list(config));
      for (const [name, type] of Object.entries(PLAN)) {
        const field = found.find((each) => each.name === name);
        must(field?.type === plan.typeFor(type), `the field ${name} has the type ${plan.typeFor(type)}`, found);
        must(
          bench.vendor.fields().some((each) => each.name === name),
          `the field ${name} stands there`,
          bench.vendor.fields(),
        );
      }
      const changes = planFields({ ...PLAN, MORE: 'text' }, found, plan);
      deepEqual([changes.create.map(({ name }) => name), changes.mismatched, changes.tooMany], [['MORE'], [], []]);
      const other = Object.keys(PLAN).find(
        (name) => plan.typeFor('boolean') !== found.find((each) => each.name === name)?.type,
      );
      if (other !== undefined)
        must(planFields({ [other]: 'boolean' }, found, plan).mismatched.length === 1, 'another type is noticed', found);
      const again = await bench.ask(plan.create('NOTE', 'text', config));
      const same = typeof again === 'object' && again !== null && !('stopped' in again);
      must(!same || again.name === 'NOTE', 'one that is there is refused, or is the same', again);
    },
  },
  {
    name: 'lists: names become ids, all of them are read, and one that is missing is created',
    write: LISTS,
    needs: ({ lists }) => lists !== undefined,
    async run(bench) {
      const { destination, config } = bench;
      const names = Array.from({ length: 30 }, (_, n) => `Ünï "${n}"`);
      for (const name of names) bench.vendor.addList(name);
      const send: Parameters<typeof readLists>[2] = (request) => bench.send(request);
      const all = await readLists(destination, config, send);
      for (const name of names)
        must(all.filter((list) => list.name === name).length === 1, `the list ${name} is read once`, all);
      const made = await bench.read(destination.lists!.create('Made', config));
      must(
        made.name === 'Made' && bench.vendor.lists().some(({ id, name }) => id === String(made.id) && name === 'Made'),
        'the list is there',
        made,
      );
    },
  },
  {
    name: 'lists: a contact joins with its first delivery, and who was taken out stays out',
    write: `${LISTS}; \`encode\` joins the lists until it is known that the contact arrived`,
    needs: ({ lists }) => lists !== undefined,
    lists: ['Newsletter', 'Friends'],
    async run(bench) {
      const ann = new Person(bench);
      await ann.arrive({});
      deepEqual(only(bench, 'ann@example.com').lists.toSorted(), ['Friends', 'Newsletter']);
      await ann.arrive({ attributes: { NOTE: 'x' } });
      await ann.arrive({ address: 'new@example.com' });
      deepEqual(only(bench, 'new@example.com').lists.toSorted(), ['Friends', 'Newsletter']);
    },
  },
  {
    name: 'lists: members are added and taken out many at a time',
    write: '`lists.members.change` names at most `most` addresses, and its answer tells which could not be changed',
    needs: ({ lists }) => lists?.members !== undefined,
    async run(bench) {
      const { destination, config } = bench;
      const members = destination.lists!.members!;
      const list = await bench.read(destination.lists!.create('Members', config));
      const addresses = Array.from({ length: 5 }, (_, n) => `m${n}+x@example.com`);
      for (const [n, address] of addresses.entries()) await new Person(bench, String(n)).arrive({ address });
      deepEqual((await bench.read(members.change('add', list.id, addresses, config))).failed, []);
      for (const address of addresses) must(only(bench, address).lists.includes('Members'), `${address} is a member`);
      await bench.read(members.change('remove', list.id, addresses.slice(0, 2), config));
      deepEqual(
        addresses.filter((address) => only(bench, address).lists.includes('Members')),
        addresses.slice(2),
      );
      const { failed } = await bench.read(members.change('add', list.id, ['nobody@example.com', ...addresses], config));
      must(
        failed.every((address) => address === 'nobody@example.com'),
        'only who is not there fails',
        failed,
      );
      for (const address of addresses)
        must(only(bench, address).lists.includes('Members'), `${address} is a member again`);
    },
  },
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
      '`exports.start` and `poll` lead to a link, `rows` reads the file by its header, `differs` compares what would be sent',
    needs: (destination) => destination.exports !== undefined,
    async run(bench) {
      const { destination, config, plan } = bench;
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
      const { header, cells } = await exported(bench);
      const reader = destination.exports!.rows(header, plan);
      const rows = cells.map((each) => reader.read(each)!);
      deepEqual(rows.map(({ address }) => address).toSorted(), ['ann@example.com', 'no+x@example.com']);
      const ann = rows.find(({ address }) => address === 'ann@example.com')!;
      const wanted = bare(delivery({ attributes })).attributes;
      deepEqual(destination.exports!.differs(wanted, ann, plan, config), []);
      deepEqual(destination.exports!.differs({ ...wanted, NOTE: 'other' }, ann, plan, config), ['NOTE']);
      const other = rows.find(({ address }) => address !== 'ann@example.com')!;
      must(
        ann.status !== 'unsubscribed' && (!optsOut || other.status !== 'subscribed'),
        'consent is as it is there',
        rows,
      );
    },
  },
];

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

/** Another key of the same form. */
function wrongly(secret: string): string {
  const last = secret.at(-1) === 'A' ? 'B' : 'A';
  return `${secret.slice(0, -1)}${last}`;
}
