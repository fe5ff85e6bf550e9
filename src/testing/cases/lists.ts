import { deepEqual } from 'node:assert/strict';
import { readLists } from '../../engine/list-ids.ts';
import type { Case } from '../case.ts';
import { must } from '../must.ts';
import { Person } from '../person.ts';
import { only } from '../shown.ts';

const LISTS =
  '`lists.all` reads every page, `lists.names` gives the names in the config and `lists.resolve` puts ids in their place (`idsOfLists`)';

/** Lists, by name and by id. */
export const lists: readonly Case[] = [
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
    name: 'lists: a contact joins with its first delivery, stays when it changes or moves, and stays out when it was taken out',
    write: `${LISTS}; \`encode\` joins the lists until it is known that the contact arrived`,
    needs: ({ lists }) => lists !== undefined,
    lists: ['Newsletter', 'Friends'],
    async run(bench) {
      const ann = new Person(bench);
      await ann.arrive({});
      const joined = ['Newsletter', 'Friends'].slice(0, bench.destination.lists?.most).toSorted();
      deepEqual(only(bench, 'ann@example.com').lists.toSorted(), joined);
      await ann.arrive({ attributes: { NOTE: 'x' } });
      await ann.arrive({ address: 'new@example.com' });
      deepEqual(only(bench, 'new@example.com').lists.toSorted(), joined);
      const { destination, config } = bench;
      const { members } = destination.lists!;
      if (members === undefined) return;
      const all = await readLists(destination, config, (request) => bench.send(request));
      for (const { id } of all) await bench.read(members.change('remove', id, ['new@example.com'], config));
      await ann.arrive({ address: 'new@example.com', attributes: { NOTE: 'y' } });
      deepEqual(only(bench, 'new@example.com').lists, []);
    },
  },
  {
    name: 'lists: a contact joins and leaves lists of segments, and one that others put it on stays',
    write:
      '`encode` says what `segmentChanges` (core/segments.ts) gives of `delivery.lists`; `lists.resolve` puts ids into `segment_lists`',
    needs: ({ lists }) => lists?.segments === true,
    segments: ['Pro', 'Buyers', "Others'"],
    async run(bench) {
      const ann = new Person(bench);
      const on = (): readonly string[] => only(bench, 'ann@example.com').lists.toSorted();
      await ann.arrive({ lists: { in: ['Pro'], join: ['Pro'], leave: [] } });
      deepEqual(on(), ['Pro']);
      await ann.arrive({ lists: { in: ['Buyers', 'Pro'], join: ['Buyers'], leave: [] } });
      deepEqual(on(), ['Buyers', 'Pro']);
      const { members } = bench.destination.lists!;
      if (members !== undefined) {
        const all = await readLists(bench.destination, bench.config, (request) => bench.send(request));
        const others = all.find(({ name }) => name === "Others'");
        await bench.read(members.change('add', others?.id ?? 0, ['ann@example.com'], bench.config));
      }
      const kept = members === undefined ? [] : ["Others'"];
      await ann.arrive({ lists: { in: ['Buyers'], join: [], leave: ['Pro'] } });
      deepEqual(on(), ['Buyers', ...kept]);
      // Once more, and of somebody whose id is not known any more.
      await ann.arrive({ attributes: { NOTE: 'x' }, lists: { in: ['Buyers'], join: [], leave: ['Pro'] } });
      ann.forgetId();
      await ann.arrive({ attributes: { NOTE: 'y' }, lists: { in: ['Pro'], join: ['Pro'], leave: ['Buyers'] } });
      deepEqual(on(), [...kept, 'Pro']);
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
      const change = async (what: 'add' | 'remove', all: readonly string[]): Promise<readonly string[]> => {
        const failed: string[] = [];
        for (let n = 0; n < all.length; n += members.most) {
          const some = all.slice(n, n + members.most);
          failed.push(...(await bench.read(members.change(what, list.id, some, config))).failed);
        }
        return failed;
      };
      deepEqual(await change('add', addresses), []);
      for (const address of addresses) must(only(bench, address).lists.includes('Members'), `${address} is a member`);
      await change('remove', addresses.slice(0, 2));
      deepEqual(
        addresses.filter((address) => only(bench, address).lists.includes('Members')),
        addresses.slice(2),
      );
      const strangers = members.makesContacts === true ? [] : ['nobody@example.com'];
      const failed = await change('add', [...strangers, ...addresses]);
      // Some vendors count a member who stays as one who could not be added.
      must(
        !addresses.slice(0, 2).some((address) => failed.includes(address)),
        'who joins again does not fail because of others',
        failed,
      );
      for (const address of addresses)
        must(only(bench, address).lists.includes('Members'), `${address} is a member again`);
    },
  },
];
