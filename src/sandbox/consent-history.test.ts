import { expect, it } from 'vitest';
import { ApiRequest } from './api-request.ts';
import { ConsentHistory } from './consent-history.ts';
import type { ShownContact } from './stand-in.ts';

const contact = (status: ShownContact['status'], address = 'Ann@example.com'): ShownContact => ({
  id: '1',
  address,
  status,
  attributes: {},
  lists: [],
  createdAt: 0,
  updatedAt: 0,
});
const call = new ApiRequest('PATCH', '/contacts/1', {}, '');

it('remembers what changed consent and nothing else, by address whatever its case', () => {
  const history = new ConsentHistory();
  history.acting = call;
  history.note('a', 'created', contact('subscribed'), 1);
  history.note('a', 'updated', contact('subscribed'), 2);
  expect(history.of('a', 'ann@example.com')).toEqual([]);
  history.note('a', 'updated', contact('unsubscribed'), 3);
  history.note('a', 'updated', contact('unsubscribed'), 4);
  history.acting = null;
  history.note('a', 'opted_in', contact('subscribed'), 5);
  history.note('a', 'deleted', contact('subscribed'), 6);
  history.note('a', 'created', contact('unsubscribed'), 7);
  expect(history.of('a', 'ANN@example.com')).toEqual([
    { at: 3, status: 'unsubscribed', call: 'PATCH /contacts/1' },
    { at: 5, status: 'subscribed', call: null },
    { at: 6, status: 'deleted', call: null },
    { at: 7, status: 'unsubscribed', call: null },
  ]);
  expect(history.of('b', 'ann@example.com')).toEqual([]);
  history.clear();
  expect(history.of('a', 'ann@example.com')).toEqual([]);
});

it('keeps the last 50 of an address', () => {
  const history = new ConsentHistory();
  for (let n = 0; n < 120; n += 1)
    history.note('a', 'updated', contact(n % 2 === 0 ? 'unsubscribed' : 'subscribed'), n);
  expect(history.of('a', 'ann@example.com').map(({ at }) => at)).toEqual(Array.from({ length: 50 }, (_, n) => n + 70));
});
