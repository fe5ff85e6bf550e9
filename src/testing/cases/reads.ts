import { deepEqual } from 'node:assert/strict';
import type { RemoteContact } from '../../core/destination.ts';
import { planFields } from '../../engine/fields.ts';
import { type Bench, PLAN } from '../bench.ts';
import type { Case } from '../case.ts';
import { must } from '../must.ts';
import { Person } from '../person.ts';
import { BODIES } from '../spoil.ts';

const EXCHANGE =
  'an exchange gives the value only for the vendor’s own answer, else the outcome that stopped it (`stopped` of core/failure.ts)';

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
    ...(destination.pages === undefined
      ? []
      : [['pages.page', destination.pages.page(undefined, PLAN, config)] as const]),
  ];
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
];

/** Another key of the same form. */
function wrongly(secret: string): string {
  const last = secret.at(-1) === 'A' ? 'B' : 'A';
  return `${secret.slice(0, -1)}${last}`;
}
