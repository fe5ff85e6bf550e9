import type { HttpResponse, Operation } from '../../core/destination.ts';
import { isJsonObject } from '../../core/json.ts';
import { readJson } from '../../core/wire.ts';
import type { ApiReply } from '../../sandbox/api-request.ts';
import { seededRandom } from '../../sandbox/seeded-random.ts';
import type { Bench } from '../bench.ts';
import type { Case } from '../case.ts';
import { must } from '../must.ts';
import { mustBeOutcome } from '../outcomes.ts';
import { Person } from '../person.ts';
import { answers as realAnswers, eventOf, operations } from '../samples.ts';
import { everyone, mustBeAlone, mustHave } from '../shown.ts';
import { BODIES, HTML, spoilt } from '../spoil.ts';

const STATUS = '`interpret` begins with `failureOf` of core/failure.ts, which knows what a status means by itself';
const PROVEN =
  '`interpret` counts a success as delivered only when the answer is the vendor’s own (`malformed` of core/failure.ts otherwise), and never throws: read bodies with `readJson`';
const WAITS =
  '`capabilities.rateHeaders` names the headers that say how long to wait; `failureOf` reads `Retry-After`, and `waitMs` of its vendor the others';

/** A body of more characters is long. */
const LONG = 10_000;
const CLASSES = [200, 204, 301, 404, 422, 429, 500];

function headerNames(bench: Bench): readonly string[] {
  return bench.destination.capabilities.rateHeaders.map((name) => name.toLowerCase()).filter((name) => name !== 'none');
}

/** What an attempt gives while every call is answered so. */
async function under(bench: Bench, reply: ApiReply): Promise<Awaited<ReturnType<Bench['perform']>>> {
  bench.interfere({ times: Infinity, answer: () => reply });
  const unit = await bench.perform({ attributes: { NOTE: 'x' } });
  bench.clear();
  return unit;
}

async function mustThrottle(bench: Bench, reply: ApiReply, waitMs: number): Promise<void> {
  const { state } = await under(bench, reply);
  must(state?.kind === 'throttle', '429 is a throttle', state);
  const wait = state.retryAfterMs;
  must(wait !== undefined && Math.abs(wait - waitMs) <= 1_000, `the wait is ${waitMs} ms`, {
    state,
    headers: reply.headers,
  });
}

export const answers: readonly Case[] = [
  {
    name: 'answers: 429 is a throttle, with the wait of every header that says one',
    write: WAITS,
    async run(bench) {
      const { state } = await under(bench, bench.vendor.failure(429));
      must(state?.kind === 'throttle', '429 is a throttle', state);
      const own = bench.vendor.failure(429, 7);
      const names = headerNames(bench);
      if (names.length > 0) await mustThrottle(bench, own, 7_000);
      const sent = Object.entries(own.headers ?? {});
      for (const name of names) {
        const found =
          sent.find(([each]) => each.toLowerCase() === name)?.[1] ?? (name === 'retry-after' ? '7' : undefined);
        must(found !== undefined, `the stand-in's \`failure(429, 7)\` has the header ${name}`, own.headers);
        await mustThrottle(bench, { ...own, headers: { [name]: found } }, 7_000);
      }
      if (!names.includes('retry-after')) return;
      const date = { date: 'Sat, 21 Nov 2026 03:00:00 GMT', 'retry-after': 'Sat, 21 Nov 2026 03:01:30 GMT' };
      await mustThrottle(bench, { ...own, headers: date }, 90_000);
      for (const nonsense of ['', 'soon', '-5', 'NaN', '99999999999999999999']) {
        const odd = await under(bench, { ...own, headers: { 'retry-after': nonsense } });
        mustBeOutcome(odd.state, nonsense);
        must(odd.state.kind === 'throttle', '429 is a throttle, whatever its headers say', odd.state);
      }
    },
  },
  {
    name: 'answers: a wait is kept where the destination is only busy',
    write: WAITS,
    needs: ({ capabilities }) => capabilities.rateHeaders.some((name) => name.toLowerCase() === 'retry-after'),
    async run(bench) {
      const { state } = await under(bench, { ...bench.vendor.failure(503), headers: { 'retry-after': '11' } });
      must(
        state?.kind === 'retry' && state.retryAfterMs === 11_000,
        '503 with Retry-After: 11 is tried again after 11 s',
        state,
      );
    },
  },
  ...[401, 403].map((status): Case => ({
    name: `answers: ${status} pauses the destination and burns no record`,
    write: STATUS,
    async run(bench) {
      const { state } = await under(bench, bench.vendor.failure(status));
      must(state?.kind === 'config', `${status} is \`config\``, state);
      await new Person(bench).arrive({});
    },
  })),
  {
    name: 'answers: 408, 425, 500, 502, 503 and 504 are tried again',
    write: STATUS,
    async run(bench) {
      for (const status of [408, 425, 500, 502, 503, 504]) {
        for (const reply of [bench.vendor.failure(status), { status, body: HTML }, { status, body: null }]) {
          const { state } = await under(bench, reply);
          must(state?.kind === 'retry', `${status} is a \`retry\``, state);
        }
      }
      await new Person(bench).arrive({});
    },
  },
  {
    name: 'answers: a refusal of one contact is a reject with the vendor’s words',
    write: '`interpret` gives a `reject` with a `code`, and the vendor’s words as its `message`',
    async run(bench) {
      const { state } = await under(bench, bench.vendor.refusal());
      must(state?.kind === 'reject' && state.message !== '', 'it is a `reject` with words', state);
    },
  },
  {
    name: 'answers: a redirect is refused, and followed nowhere',
    write: STATUS,
    async run(bench) {
      for (const status of [301, 302, 303, 307, 308]) {
        const before = bench.calls.length;
        const { state } = await under(bench, { status, headers: { location: `${bench.url}/elsewhere` }, body: null });
        must(state?.kind === 'config', 'a redirect is `config`: the base URL is wrong', state);
        const paths = bench.calls.slice(before).map(({ request }) => request.path);
        must(paths.length === 1 && !paths[0]?.includes('elsewhere'), 'nothing is sent to where it points', paths);
      }
    },
  },
  {
    name: 'answers: a page of something in between is no delivery',
    write: PROVEN,
    async run(bench) {
      // Standard Webhooks 1.0.0: any 2xx is a success, whatever its body.
      if ('sign' in bench.destination.auth(bench.config)) return;
      const page: ApiReply = { status: 200, headers: { 'content-type': 'text/html' }, body: HTML };
      for (const unit of await units(bench)) {
        bench.interfere({ times: Infinity, answer: () => page });
        const done = await bench.perform(unit);
        bench.clear();
        for (const outcome of [done.state, ...done.events]) {
          must(outcome?.kind !== 'delivered', `an HTML page is no proof that the ${unit.action} was done`, outcome);
        }
      }
    },
  },
  {
    name: 'answers: a success that is not the vendor’s own is no delivery, and the next attempt puts it right',
    write: PROVEN,
    async run(bench) {
      const someone = new Person(bench, '9');
      const { state: usual } = await someone.attempt({ address: 'usual@example.com' });
      const tellsId = usual?.kind === 'delivered' && usual.remoteId !== undefined;
      // Standard Webhooks 1.0.0: any 2xx is a success, whatever its body.
      const anyBody = 'sign' in bench.destination.auth(bench.config);
      await someone.arrive({ action: 'delete' });
      for (const body of BODIES) {
        const ann = new Person(bench);
        let replaced = false;
        bench.interfere({
          times: Infinity,
          answer: (act) => {
            const reply = act();
            if (reply.status !== 200 || reply.body === null || reply.body === '') return reply;
            replaced = true;
            return { ...reply, body };
          },
        });
        const { state } = await ann.attempt({ attributes: { NOTE: 'kept' } });
        bench.clear();
        mustBeOutcome(state, body.slice(0, 100));
        const proven = anyBody || (!tellsId && isJsonObject(readJson(body)));
        must(
          !replaced || proven || state.kind !== 'delivered',
          'an answer without what the vendor answers is no delivery',
          {
            body: body.slice(0, 100),
            state,
          },
        );
        await ann.arrive({ attributes: { NOTE: 'kept' } });
        mustHave(mustBeAlone(bench, 'ann@example.com'), 'NOTE', 'kept');
        await ann.arrive({ action: 'delete' });
      }
    },
  },
  {
    name: 'answers: one outcome for each operation, for any status and any body',
    write: `${PROVEN}; \`interpret\` returns an outcome for each operation of the batch, in order`,
    async run(bench) {
      const { destination } = bench;
      const real = await realAnswers(bench);
      const made = operations(bench);
      const random = seededRandom(20_260_506);
      const statuses = [
        100, 199, 200, 201, 202, 204, 207, 301, 304, 400, 401, 402, 403, 404, 409, 410, 413, 422, 425, 429, 500, 503,
        599, 600, 999,
      ];
      for (const operation of made) {
        for (const body of BODIES) {
          // What is long takes its time to read, and reads alike whatever the status: one of each class will do.
          for (const status of body.length < LONG ? statuses : CLASSES)
            check(destination, { status, headers: {}, body }, [operation]);
        }
        for (const answer of real) {
          for (let n = 0; n < 40; n += 1) {
            const status = random() < 0.3 ? (statuses[Math.floor(random() * statuses.length)] ?? 200) : answer.status;
            check(destination, { ...spoilt(answer, random), status }, [operation]);
          }
        }
      }
      const shared = made.filter(({ batchKey }) => batchKey !== null);
      for (const first of shared) {
        const batch = shared.filter(({ batchKey }) => batchKey === first.batchKey);
        for (const answer of [...real, ...BODIES.map((body) => ({ status: 200, headers: {}, body }))])
          check(destination, answer, [...batch, ...batch]);
      }
    },
  },
];

/** Units of work of every kind, for a contact that is there. */
async function units(bench: Bench): Promise<readonly Parameters<Bench['perform']>[0][]> {
  const { capabilities } = bench.destination;
  const ann = new Person(bench);
  const remote = await ann.arrive({});
  const known = everyone(bench).length > 0;
  must(known, 'a contact stands there');
  return [
    { attributes: { NOTE: 'x' }, remote },
    { attributes: { NOTE: 'x' }, address: 'bob@example.com' },
    ...(capabilities.remove === 'none' ? [] : [{ action: 'delete' as const, address: null, remote }]),
    ...(capabilities.consent.tell ? [{ action: 'unsubscribe' as const, address: null, remote }] : []),
    ...(capabilities.events === 'none' ? [] : [{ remote, sendState: false, events: [eventOf(3, 'order_placed')] }]),
  ];
}

function check(destination: Bench['destination'], response: HttpResponse, batch: readonly Operation[]): void {
  const of = { status: response.status, body: response.body.slice(0, 200), operation: batch[0]?.kind };
  let outcomes: ReturnType<typeof destination.interpret>;
  try {
    outcomes = destination.interpret(response, batch);
  } catch (error) {
    must(false, '`interpret` never throws', { error: String(error), of });
  }
  must(outcomes.length === batch.length, 'there is one outcome for each operation', { outcomes, of });
  for (const [n, outcome] of outcomes.entries()) {
    mustBeOutcome(outcome, of);
    const success = response.status >= 200 && response.status < 300;
    const kind = batch[n]?.kind;
    const duplicate = kind === 'event' && destination.capabilities.events === 'keyed' && response.status === 409;
    const strict = (kind === 'upsert' || kind === 'event') && !duplicate;
    must(success || !strict || outcome.kind !== 'delivered', `${response.status} is no delivery of an ${kind}`, {
      outcome,
      of,
    });
  }
}
