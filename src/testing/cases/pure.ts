import { deepEqual } from 'node:assert/strict';
import type { Outcome } from '../../core/outcome.ts';
import type { Bench } from '../bench.ts';
import type { Case } from '../case.ts';
import { frozen } from '../freeze.ts';
import { must } from '../must.ts';
import { Person } from '../person.ts';
import { answers, deliveries, eventOf, operations } from '../samples.ts';

const PURE =
  'all parts are pure functions: no clock, no randomness, no memory between calls, and their arguments are never changed';
const SECRET = 'the key goes into `auth` and nowhere else: only the transport sees it';

function words(outcome: Outcome | undefined): string {
  return outcome === undefined || outcome.kind === 'delivered'
    ? ''
    : `${outcome.code} ${outcome.message} ${outcome.field ?? ''}`;
}

export const pure: readonly Case[] = [
  {
    name: 'description: its parts are those that its capabilities name',
    write: '`capabilities` and the parts of the object say the same; an unverified fact names its setting',
    async run({ destination, config }) {
      const { capabilities: can } = destination;
      const parts = [
        ['events', can.events !== 'none', 'encodeEvent' in destination],
        ['bulk', can.bulk !== 'none', destination.bulk !== undefined],
        ['bulk: job', can.bulk === 'job', destination.bulk?.watch !== undefined],
        ['fields', can.fields, destination.fields !== undefined],
        ['lists', can.lists, destination.lists !== undefined],
        ['consent.read: contact', can.consent.read.includes('contact'), 'lookup' in destination],
        [
          'consent.read: suppressions',
          can.consent.read.includes('suppressions'),
          destination.suppressions !== undefined,
        ],
        ['consent.read: export', can.consent.read.includes('export'), destination.exports !== undefined],
      ] as const;
      for (const [name, says, part] of parts)
        must(says === part, `\`capabilities\` says ${name}: ${says}, and the part is there or not`, name);
      must(can.homes.length > 0, 'there is a home for it', can.homes);
      must(
        /^[a-z][a-z0-9-]*$/.test(destination.id) && destination.name !== '' && URL.canParse(destination.docsUrl),
        'it has an id, a name and a page',
        destination.id,
      );
      for (const { what, setting } of can.unverified)
        must(what !== '' && setting !== '', 'an unverified fact has a setting', { what, setting });
      const { buckets, concurrency } = destination.limits(config);
      must(
        concurrency >= 1 && buckets.every(({ requests, perMs }) => requests >= 1 && perMs > 0),
        'limits let something through',
        { buckets, concurrency },
      );
      must(
        new Set(buckets.map(({ name }) => name)).size === buckets.length,
        'each limit has a name of its own',
        buckets,
      );
    },
  },
  {
    name: 'pure: the same input gives the same, and is not changed',
    write: PURE,
    async run(bench) {
      const { destination, config, plan } = bench;
      const real = await answers(bench);
      for (const each of deliveries()) {
        const once = destination.encode(each, plan, config);
        deepEqual(destination.encode(each, plan, config), once);
        deepEqual(destination.encode(structuredClone(each), plan, config), once);
      }
      for (const operation of operations(bench).map(frozen)) {
        // Only what is found first can stand there: the engine puts it in.
        const request = frozen(destination.request([operation], config));
        deepEqual(destination.request([operation], config), request);
        must(URL.canParse(request.url), 'a request has an absolute URL', request.url);
        for (const answer of real.map(frozen))
          deepEqual(destination.interpret(answer, [operation]), destination.interpret(answer, [operation]));
      }
      const event = frozen(eventOf(1, 'e', { a: { b: 1 } }));
      const remote = frozen({ address: 'ann@example.com', id: null });
      deepEqual(destination.encodeEvent?.(event, remote, config), destination.encodeEvent?.(event, remote, config));
    },
  },
  {
    name: 'secrets: the key stands in no URL, no body and no message',
    write: SECRET,
    async run(bench) {
      const { destination, config, secret } = bench;
      const told: string[] = [];
      const attempt = async (parts: Parameters<Bench['perform']>[0]): Promise<void> => {
        const { state, events } = await bench.perform(parts);
        told.push(words(state), ...events.map(words));
      };
      await new Person(bench).arrive({ attributes: { NOTE: 'x' } });
      for (const status of [400, 401, 403, 404, 422, 429, 500, 302]) {
        bench.interfere({ times: Infinity, answer: () => bench.vendor.failure(status) });
        await attempt({ events: destination.encodeEvent === undefined ? [] : [eventOf(1, 'e')] });
        bench.clear();
      }
      for (const drop of ['before', 'after'] as const) {
        bench.addFaults([{ drop }]);
        await attempt({});
        bench.clear();
      }
      const probe = destination.probe(config);
      if (probe !== null) await bench.send(probe);
      must(!destination.account(config).includes(secret), '`account` is a text without secrets');
      for (const { request } of bench.calls) {
        must(
          !request.path.includes(secret) && !request.body.includes(secret),
          'no request says it but in its authentication',
          request.path,
        );
      }
      must(
        told.every((each) => !each.includes(secret)),
        'no outcome says it',
        told,
      );
    },
  },
  {
    name: 'secrets: the entry of the config marks them',
    write: 'secrets in `config` come from `secretText` of core/options.ts',
    async run({ destination }) {
      const marked = JSON.stringify(destination.config.toJSONSchema({ io: 'input', unrepresentable: 'any' })).includes(
        '"secret":true',
      );
      must(marked, 'an option is marked as a secret');
    },
  },
];
