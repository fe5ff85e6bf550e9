import { deepEqual } from 'node:assert/strict';
import { renderJson } from '../../core/json.ts';
import { seededRandom } from '../../sandbox/seeded-random.ts';
import type { Case } from '../case.ts';
import { ended, importAll, rowsOf } from '../import-all.ts';
import { must } from '../must.ts';
import { mustBeOutcome } from '../outcomes.ts';
import { Person } from '../person.ts';
import { at, everyone, mustHave, only, valueOf } from '../shown.ts';
import { BODIES, spoilt } from '../spoil.ts';

const ROWS = '`bulk.row` says what `encode` would for the same delivery, and `bulk.request` puts rows into one request';
const STARTED =
  '`bulk.started` reads the answer: `started` with an id, `answered` with what became of which rows, `refused` with the rows at fault by their place, else `failed`; it never throws';
const PROGRESS = '`bulk.watch.progress` says `ended` only when the vendor says so; what it cannot read is `unanswered`';

const many: Case['needs'] = ({ bulk }) => bulk !== undefined;
const watched: Case['needs'] = ({ bulk }) => bulk?.watch !== undefined;

function people(count: number): { address: string; attributes: { NOTE: string; SCORE: number } }[] {
  return Array.from({ length: count }, (_, n) => ({
    address: `p${n}+x@example.com`,
    attributes: { NOTE: `ünï "${n}"`, SCORE: n },
  }));
}

export const bulk: readonly Case[] = [
  {
    name: 'many: arrive in one request as they would one by one',
    write: ROWS,
    needs: many,
    async run(bench) {
      const all = people(25);
      const before = bench.calls.length;
      for (const outcome of await importAll(bench, all))
        must(outcome.kind === 'delivered', 'each is delivered', outcome);
      const writes = bench.calls.slice(before).filter(({ request }) => request.method !== 'GET');
      must(
        writes.length === 1,
        'it took one request',
        writes.map(({ request }) => `${request.method} ${request.path}`),
      );
      for (const { address, attributes } of all) {
        for (const [name, value] of Object.entries(attributes)) mustHave(only(bench, address), name, value);
      }
    },
  },
  {
    name: 'many: once more changes nothing, and changes and clears what changed',
    write: ROWS,
    needs: many,
    async run(bench) {
      await importAll(bench, people(5));
      await importAll(bench, people(5));
      must(
        everyone(bench).length === 5,
        'nobody is there twice',
        everyone(bench).map(({ address }) => address),
      );
      await importAll(bench, [
        { address: 'p1+x@example.com', attributes: { NOTE: 'changed', SCORE: null } },
        { address: 'p2+x@example.com', attributes: {} },
      ]);
      mustHave(only(bench, 'p1+x@example.com'), 'NOTE', 'changed');
      must(valueOf(only(bench, 'p1+x@example.com'), 'SCORE') === null, 'SCORE is cleared');
      mustHave(only(bench, 'p2+x@example.com'), 'SCORE', 2);
    },
  },
  {
    name: 'many: a contact that was imported is updated, moved and deleted by itself',
    write: '`remote.imported` says that it was accepted without an id: it is named by its address',
    needs: many,
    async run(bench) {
      await importAll(bench, people(2));
      const one = new Person(bench, '1', { address: 'p0+x@example.com', id: null, imported: true });
      await one.arrive({ address: 'p0+x@example.com', attributes: { NOTE: 'by itself' } });
      mustHave(only(bench, 'p0+x@example.com'), 'NOTE', 'by itself');
      const two = new Person(bench, '2', { address: 'p1+x@example.com', id: null, imported: true });
      await two.arrive({ address: 'moved@example.com' });
      only(bench, 'moved@example.com');
      await two.arrive({ action: 'delete' });
      const { remove } = bench.destination.capabilities;
      must(remove !== 'hard' || everyone(bench).length === 1, 'one is left', everyone(bench));
    },
  },
  {
    name: 'many: one bad row has its reason, and the rest arrives',
    write: STARTED,
    needs: many,
    async run(bench) {
      const all = people(9);
      bench.addFaults([{ reject: 'p4+x@example.com' }]);
      const outcomes = await importAll(bench, all);
      bench.clear();
      for (const [n, outcome] of outcomes.entries()) {
        mustBeOutcome(outcome, n);
        if (n !== 4) must(outcome.kind === 'delivered', `row ${n} is delivered`, outcome);
      }
      // Where the answer tells only how many, the bad one is missing there and is found by what is read back.
      const bad = outcomes[4];
      must(
        bad?.kind === 'reject' ? bad.message !== '' : bad?.kind !== 'delivered',
        'the bad one is refused, with words',
        bad,
      );
      deepEqual(
        all.filter(({ address }) => at(bench, address).length === 0).map(({ address }) => address),
        ['p4+x@example.com'],
      );
    },
  },
  {
    name: 'many: an answer that was lost, and the same request once more, leave each there once',
    write: ROWS,
    needs: many,
    async run(bench) {
      bench.faultAt(1, [{ drop: 'after' }]);
      const [lost] = await importAll(bench, people(6));
      bench.clear();
      must(lost?.kind === 'unknown', 'nobody knows whether it arrived', lost);
      for (const outcome of await importAll(bench, people(6)))
        must(outcome.kind === 'delivered', 'each is delivered', outcome);
      must(
        everyone(bench).length === 6,
        'each is there once',
        everyone(bench).map(({ address }) => address),
      );
    },
  },
  {
    name: 'many: 401, 429, 500 and a redirect start nothing and burn no row',
    write: STARTED,
    needs: many,
    async run(bench) {
      for (const [status, kind] of [
        [401, 'config'],
        [403, 'config'],
        [429, 'throttle'],
        [500, 'retry'],
        [302, 'config'],
      ] as const) {
        bench.interfere({ times: Infinity, answer: () => bench.vendor.failure(status) });
        const outcomes = await importAll(bench, people(3));
        bench.clear();
        must(
          outcomes.every((outcome) => outcome.kind === kind),
          `${status} is \`${kind}\` for all`,
          outcomes,
        );
      }
      must(everyone(bench).length === 0, 'nobody was made');
    },
  },
  {
    name: 'many: no answer makes `started` throw, and rows it names are rows of the request',
    write: STARTED,
    needs: many,
    async run(bench) {
      const { destination } = bench;
      const all = people(4);
      await importAll(bench, all);
      const real = bench.calls.map(({ reply }) => ({
        status: reply.status,
        headers: {},
        body: typeof reply.body === 'string' ? reply.body : '',
      }));
      const random = seededRandom(7);
      const odd = BODIES.flatMap((body) =>
        [200, 201, 202, 204, 207, 400, 404, 413, 422, 500].map((status) => ({ status, headers: {}, body })),
      );
      const rows = rowsOf(bench, all);
      for (const response of [
        ...odd,
        ...real.flatMap((each) => Array.from({ length: 60 }, () => spoilt(each, random))),
      ]) {
        const start = destination.bulk!.started(response, rows);
        const of = { status: response.status, body: response.body.slice(0, 200), start };
        const named = start.kind === 'answered' || start.kind === 'refused' ? [...start.rows] : [];
        for (const [n, outcome] of named) {
          must(n >= 0 && n < rows.length, 'a row has its place in the request', of);
          mustBeOutcome(outcome, of);
        }
        must(start.kind !== 'refused' || start.rows.size > 0, '`refused` names rows', of);
        must(start.kind !== 'started' || start.id !== '', '`started` has an id', of);
        const bad =
          response.status >= 300 &&
          (start.kind === 'started' || (start.kind === 'answered' && start.outcome.kind === 'delivered'));
        must(!bad, `${response.status} starts nothing`, of);
      }
    },
  },
  {
    name: 'many: a request that works on is asked about until it ends, and no bad answer ends it',
    write: PROGRESS,
    needs: watched,
    async run(bench) {
      const { destination, config } = bench;
      const rows = rowsOf(bench, people(3));
      const sent = await bench.send(destination.bulk!.request(rows, config));
      must(sent.answered, 'the stand-in answers');
      const start = destination.bulk!.started(sent.response, rows);
      must(start.kind === 'started', 'it was started', start);
      const watch = destination.bulk!.watch!;
      for (const body of BODIES) {
        const progress = watch.progress({ status: 200, headers: {}, body });
        must(
          progress.kind !== 'ended' || progress.outcome.kind !== 'delivered',
          'nothing is delivered by an answer that says nothing',
          { body: body.slice(0, 100), progress },
        );
      }
      for (const status of [401, 429, 500, 503]) {
        const { headers, body } = bench.vendor.failure(status);
        const progress = watch.progress({ status, headers: headers ?? {}, body: typeof body === 'string' ? body : '' });
        must(progress.kind === 'unanswered', `${status} is asked again`, progress);
      }
      const outcome = await ended(bench, start.id);
      must(outcome.kind === 'delivered', 'it ends well', outcome);
      must(everyone(bench).length === 3, 'all are there', everyone(bench));
    },
  },
  {
    name: 'many: a request the vendor knows nothing of, or could not finish, has delivered nobody',
    write: PROGRESS,
    needs: watched,
    async run(bench) {
      const watch = bench.destination.bulk!.watch!;
      const sent = await bench.send(watch.poll('999999', bench.config));
      must(sent.answered, 'the stand-in answers');
      const progress = watch.progress(sent.response);
      must(progress.kind !== 'working' && progress.outcome.kind !== 'delivered', 'nobody was delivered', progress);
      for (const status of ['failed', 'error', 'cancelled']) {
        for (const body of [{ status }, { data: { status } }, { state: status }]) {
          const read = watch.progress({ status: 200, headers: {}, body: renderJson(body) });
          must(read.kind !== 'ended' || read.outcome.kind !== 'delivered', `${status} delivered nobody`, read);
        }
      }
    },
  },
];
