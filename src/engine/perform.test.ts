import { describe, expect, test } from 'vitest';
import type { ContactEvent, Destination, HttpRequest } from '../core/destination.ts';
import { mailtrap } from '../destinations/mailtrap/index.ts';
import { delivery } from '../testing/delivery.ts';
import { perform } from './perform.ts';
import type { Claimed, SendResult } from './ports.ts';

const ID = '018dd5e3-f6d2-7c00-8f9b-e5c3f2d8a132';

function event(name: string): ContactEvent {
  return { id: `id of ${name}`, name, properties: { n: 1 }, at: '2026-05-06T07:08:09.123456Z' };
}

function unit(parts: Partial<Claimed>): Claimed {
  return delivery({ address: 'a@x.y', ...parts });
}

type Answer = number | 'none' | readonly [number, unknown];

/**
 * Performs a unit against answers in order; a PATCH is answered with 200 and an id, a POST with 201, and so on, when there is
 * none left.
 */
async function run(
  claimed: Claimed,
  options: {
    readonly answers?: readonly Answer[];
    readonly permits?: number;
    readonly eventsAtMostOnce?: boolean;
    readonly destination?: Partial<Destination<never>>;
    readonly takesEvents?: boolean;
  } = {},
) {
  const answers = [...(options.answers ?? [])];
  const sent: string[] = [];
  const permits: string[] = [];
  const mistakes: unknown[] = [];
  const destination = { ...mailtrap, ...options.destination } as Destination<unknown>;
  if (options.takesEvents === false) Reflect.deleteProperty(destination, 'encodeEvent');
  const performed = await perform(claimed, {
    destination,
    config: mailtrap.config.parse({ api_token: 'tok' }),
    plan: {},
    bytesPerRequest: undefined,
    eventsAtMostOnce: options.eventsAtMostOnce ?? false,
    deadlineMs: () => 1_000,
    onMistake: (error) => mistakes.push(error),
    permit: async (which) => {
      permits.push(which);
      return permits.length <= (options.permits ?? Infinity);
    },
    send: async (request) => {
      sent.push(line(request));
      return respond(answers.shift() ?? usual(request));
    },
  });
  const got = performed.begun ? performed : undefined;
  return {
    performed,
    sent,
    permits,
    mistakes,
    state: got?.state?.outcome,
    events: got?.events.map(({ id, outcome }) =>
      [id.replace('id of ', ''), outcome.kind, ...(outcome.kind === 'delivered' ? [] : [outcome.code])].join(' '),
    ),
    stopped: got?.stopped,
    answers: got?.answers.map(({ outcome }) => outcome.kind),
  };
}

function line({ method, url, body }: HttpRequest): string {
  const said = body === null ? {} : (JSON.parse(body) as { name?: string; contact?: { unsubscribed?: boolean } });
  const no = said.contact?.unsubscribed === true ? 'unsubscribed' : '';
  return [method, decodeURIComponent(url.replace('https://mailtrap.io/api/contacts/', '')), no, said.name ?? '']
    .filter((part) => part !== '')
    .join(' ')
    .trim();
}

function usual({ method }: HttpRequest): Answer {
  if (method === 'PATCH') return [200, { action: 'updated', data: { id: ID, email: 'a@x.y' } }];
  if (method === 'GET') return [200, { data: { id: ID, email: 'a@x.y', status: 'subscribed' } }];
  return method === 'POST' ? 201 : 204;
}

function respond(answer: Answer): SendResult {
  if (answer === 'none') {
    const outcome = { kind: 'unknown', code: 'timeout', message: 'No answer in time.' } as const;
    return { answered: false, outcome, latencyMs: 7 };
  }
  const [status, body] = typeof answer === 'number' ? [answer, ''] : answer;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { answered: true, response: { status, headers: {}, body: text }, latencyMs: 7 };
}

const three = [event('one'), event('two'), event('three')];

describe('somebody whom an attempt in doubt may have moved', () => {
  const moved = (email: string) => [200, { data: { id: ID, email, status: 'subscribed' } }] as const;
  const remote = { id: ID, address: 'a@x.y' };

  test('is looked for by their id, and brought back by the request that follows', async () => {
    const { sent, performed } = await run(unit({ astray: true, remote }), { answers: [moved('b@x.y')] });
    expect(sent).toEqual([`GET ${ID}`, `PATCH ${ID}`]);
    expect(performed).toMatchObject({ state: { outcome: { kind: 'delivered' }, foundAt: 'b@x.y' } });
  });

  test('and is where they should be, or gone: nobody else is told of', async () => {
    for (const answers of [[moved('a@x.y')], [404]] as const) {
      const { performed } = await run(unit({ astray: true, remote }), { answers });
      expect(performed).toMatchObject({ state: { outcome: { kind: 'delivered' }, foundAt: undefined } });
    }
  });

  test('moves on from wherever they are', async () => {
    const claimed = unit({ astray: true, remote: { id: ID, address: 'old@x.y' } });
    const { sent, performed } = await run(claimed, { answers: [moved('b@x.y')] });
    expect(sent).toEqual([`GET ${ID}`, `PATCH ${ID}`]);
    expect(performed).toMatchObject({ state: { foundAt: 'b@x.y' } });
  });
});

describe('somebody who was known elsewhere before, and moves from where they are known now', () => {
  const status = (said: string) => [200, { data: { id: ID, email: 'now@x.y', status: said } }] as const;
  const moving = (more: Partial<Claimed> = {}): Claimed =>
    unit({ carryFrom: 'before@x.y', remote: { id: ID, address: 'now@x.y' }, ...more });

  test.each([
    ['subscribed', 'unsubscribed'],
    ['unsubscribed', 'subscribed'],
    ['unsubscribed', 'unsubscribed'],
  ])('has said no when one of the two says so: %s before, %s now', async (before, now) => {
    for (const astray of [true, false]) {
      const { sent } = await run(moving({ astray }), { answers: [status(before), status(now)] });
      expect(sent).toEqual(['GET before@x.y', `GET ${ID}`, `PATCH ${ID} unsubscribed`]);
    }
  });

  test('else has not; and one who is gone says nothing', async () => {
    for (const answers of [
      [status('subscribed'), status('subscribed')],
      [404, status('subscribed')],
      [404, 404],
    ]) {
      const { sent } = await run(moving({ consent: 'basis' }), { answers });
      expect(sent).toEqual(['GET before@x.y', `GET ${ID}`, `PATCH ${ID}`]);
    }
    const { sent } = await run(moving(), { answers: [status('unsubscribed'), 404] });
    expect(sent.at(-1)).toBe(`PATCH ${ID} unsubscribed`);
  });

  test('and is asked for once where both are one address', async () => {
    const claimed = moving({ remote: { id: null, address: 'before@x.y' } });
    const { sent } = await run(claimed, { answers: [status('unsubscribed')] });
    expect(sent).toEqual(['GET before@x.y', 'PATCH a@x.y unsubscribed', 'DELETE before@x.y']);
  });
});

describe('a contact that shall be there', () => {
  test('the state first, then the events in order, to the id that the state was accepted with', async () => {
    const { sent, state, events, permits, stopped } = await run(unit({ events: three }));
    expect(sent).toEqual(['PATCH a@x.y', `POST ${ID}/events one`, `POST ${ID}/events two`, `POST ${ID}/events three`]);
    expect(state).toMatchObject({ kind: 'delivered', remoteId: ID });
    expect(events).toEqual(['one delivered', 'two delivered', 'three delivered']);
    expect(permits).toEqual(['first', 'more', 'more', 'more']);
    expect(stopped).toBeUndefined();
  });

  test.each([
    [422, 'reject'],
    [500, 'retry'],
    [401, 'config'],
    ['none', 'unknown'],
  ] as const)('no event while the state is not accepted (%s)', async (answer, kind) => {
    const { sent, events, stopped } = await run(unit({ events: three }), { answers: [answer] });
    expect([sent.length, events]).toEqual([1, []]);
    expect(stopped).toMatchObject({ by: 'state', outcome: { kind } });
  });

  test('a refused event is a dead letter of its own, and the next goes on', async () => {
    const answers: Answer[] = [
      [200, { data: { id: ID } }],
      [422, { errors: { name: ['is too long'] } }],
    ];
    const { events, stopped } = await run(unit({ events: three }), { answers });
    expect(events).toEqual(['one reject invalid_event', 'two delivered', 'three delivered']);
    expect(stopped).toBeUndefined();
  });

  test.each([
    [500, 'one retry http_500'],
    [429, 'one throttle http_429'],
    [403, 'one config forbidden'],
    ['none', 'one unknown timeout'],
    [404, 'one retry contact_missing'],
  ] as const)('any other answer (%s) keeps the order: the rest waits', async (answer, first) => {
    const { events, stopped, state } = await run(unit({ events: three }), {
      answers: [[200, { data: { id: ID } }], answer],
    });
    expect(state?.kind).toBe('delivered');
    expect(events).toEqual([first]);
    expect(stopped).toMatchObject({ by: 'event' });
  });

  test('what there is no time for is not begun, and nobody is told of it', async () => {
    expect((await run(unit({ events: three }), { permits: 0 })).performed).toEqual({ begun: false });
    const some = await run(unit({ events: three }), { permits: 2 });
    expect([some.state?.kind, some.events, some.stopped]).toEqual(['delivered', ['one delivered'], undefined]);
  });

  test('in step: events alone, to the contact as it is known', async () => {
    const remote = { id: null, address: 'old@x.y' };
    const { sent, state, events } = await run(unit({ sendState: false, events: three.slice(0, 1), remote }));
    expect([sent, state, events]).toEqual([['POST old@x.y/events one'], undefined, ['one delivered']]);
    expect((await run(unit({ sendState: false, events: three, remote }), { permits: 0 })).performed).toEqual({
      begun: false,
    });
    expect((await run(unit({ sendState: false }))).performed).toMatchObject({ begun: true, events: [] });
  });

  test('a contact that is known nowhere keeps its events', async () => {
    const { sent, events, answers } = await run(unit({ sendState: false, events: three }));
    expect([sent, events, answers]).toEqual([[], ['one retry contact_missing'], []]);
  });

  test('a mistake of ours with one event is a dead letter too', async () => {
    const destination = {
      encodeEvent: (...given: Parameters<NonNullable<typeof mailtrap.encodeEvent>>) => {
        if (given[0].name === 'one') throw new TypeError('a mistake');
        return mailtrap.encodeEvent!(...given);
      },
    };
    const { events, mistakes } = await run(unit({ events: three }), { destination });
    expect(events).toEqual(['one reject internal', 'two delivered', 'three delivered']);
    expect(mistakes).toHaveLength(1);
    const none = await run(unit({ events: three }), { takesEvents: false });
    expect(none.events).toEqual(three.map(({ name }) => `${name} reject events_not_taken`));
  });
});

describe('at most once', () => {
  const delivery = unit({ sendState: false, events: three, remote: { id: ID, address: 'a@x.y' } });

  test('an event without an answer is not repeated, and nothing more is risked now', async () => {
    const { events, stopped, answers } = await run(delivery, { answers: [201, 'none'], eventsAtMostOnce: true });
    expect(events).toEqual(['one delivered', 'two reject unknown_not_repeated']);
    expect(stopped).toMatchObject({ by: 'event', outcome: { kind: 'unknown' } });
    expect(answers).toEqual(['delivered', 'unknown']);
  });

  test('what was not sent is sent again, and a key at the destination makes repeating safe', async () => {
    expect((await run(delivery, { answers: [503], eventsAtMostOnce: true })).events).toEqual(['one retry http_503']);
    const destination = { capabilities: { ...mailtrap.capabilities, events: 'keyed' as const } };
    const { events } = await run(delivery, { answers: ['none'], eventsAtMostOnce: true, destination });
    expect(events).toEqual(['one unknown timeout']);
  });

  test('the state is repeated all the same', async () => {
    const { state } = await run(unit({ events: three }), { answers: ['none'], eventsAtMostOnce: true });
    expect(state).toMatchObject({ kind: 'unknown', code: 'timeout' });
  });
});

describe('a contact that shall be deleted', () => {
  const gone = unit({ action: 'delete', address: null, remote: { id: ID, address: 'a@x.y' }, events: three });

  test('each event once, then the delete, whatever became of them', async () => {
    const answers: Answer[] = ['none', 500, [404, { error: 'Not Found' }]];
    const { sent, state, events, stopped } = await run(gone, { answers });
    expect(sent).toEqual([...['one', 'two', 'three'].map((name) => `POST ${ID}/events ${name}`), `DELETE ${ID}`]);
    expect(events).toEqual(['one unknown timeout', 'two retry http_500', 'three retry contact_missing']);
    expect([state?.kind, stopped]).toEqual(['delivered', undefined]);
  });

  test.each([
    [429, 'throttle'],
    [401, 'config'],
  ] as const)('what is about the destination (%i) stops both', async (answer, kind) => {
    const { sent, events, state, stopped } = await run(gone, { answers: [201, answer] });
    expect([sent.length, events?.length, state?.kind]).toEqual([2, 2, kind]);
    expect(stopped).toMatchObject({ by: 'state', outcome: { kind } });
  });

  test('without time for the delete it is tried again, and the events that were sent are kept', async () => {
    const { events, state } = await run(gone, { permits: 2 });
    expect(events).toEqual(['one delivered', 'two delivered']);
    expect(state).toMatchObject({ kind: 'retry', code: 'no_time' });
    expect((await run(gone, { permits: 0 })).performed).toEqual({ begun: false });
  });

  test('nothing known there, nothing asked', async () => {
    const { sent, state, answers } = await run(unit({ action: 'delete', address: null }));
    expect([sent, state, answers]).toEqual([[], { kind: 'delivered' }, []]);
  });
});

describe('a contact that shall be opted out', () => {
  const left = unit({ action: 'unsubscribe', address: null, events: three.slice(0, 1) });

  test('by id at once, then the events', async () => {
    const { sent } = await run({ ...left, remote: { id: ID, address: 'a@x.y' } });
    expect(sent).toEqual([`PATCH ${ID} unsubscribed`, `POST ${ID}/events one`]);
  });

  test('by address only if it is there: else the opt-out would make it again', async () => {
    const byAddress = { ...left, events: [], remote: { id: null, address: 'a@x.y' } };
    expect((await run(byAddress)).sent).toEqual(['GET a@x.y', 'PATCH a@x.y unsubscribed']);
    const { sent, state } = await run(byAddress, { answers: [404] });
    expect([sent, state]).toEqual([['GET a@x.y'], { kind: 'delivered' }]);
    const unread = await run(byAddress, { answers: ['none'] });
    expect([unread.sent, unread.state]).toMatchObject([['GET a@x.y'], { kind: 'retry' }]);
  });

  test('leftovers of a contact that is gone are removed', async () => {
    const remote = { id: null, address: 'a@x.y', leftovers: ['old@x.y'] };
    expect((await run({ ...left, events: [], remote }, { answers: [404] })).sent).toEqual([
      'GET a@x.y',
      'DELETE old@x.y',
    ]);
  });
});

test('an address change reads the subscription first, and half of it accepted is told as that', async () => {
  const moved = unit({ address: 'new@x.y', remote: { id: null, address: 'old@x.y' }, events: three });
  const { sent, permits, performed, events } = await run(moved, {
    answers: [[200, { data: { status: 'unsubscribed' } }], [200, { data: { id: ID } }], 500],
  });
  expect(sent).toEqual(['GET old@x.y', 'PATCH new@x.y unsubscribed', 'DELETE old@x.y']);
  expect(permits).toEqual(['first', 'more', 'more']);
  expect(performed).toMatchObject({ state: { outcome: { kind: 'retry' }, partial: { remoteId: ID }, latencyMs: 21 } });
  expect(events).toEqual([]);
});
