import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closeAll, testBed, type Answer, type TestBed } from './client.ts';

const PATH = '/api/contacts/a%40example.com';
const CONTACT = { contact: { email: 'a@example.com' } };

let bed: TestBed;
beforeEach(async () => {
  bed = await testBed();
});
afterEach(closeAll);

async function patch(): Promise<Answer> {
  return await bed.call('PATCH', PATH, CONTACT);
}

it('answers a status without acting, in the words of the vendor', async () => {
  bed.sandbox.addFaults([
    { status: 500, count: 1 },
    { status: 429, retryAfter: 7, count: 2 },
  ]);
  const failed = await patch();
  expect([failed.status, failed.json]).toEqual([500, { errors: 'Unexpected error' }]);
  const throttled = await patch();
  expect([throttled.status, throttled.headers.get('retry-after')]).toEqual([429, '7']);
  expect(bed.sandbox.state.contactCount).toBe(0);
  expect((await patch()).status).toBe(200);
  expect(bed.sandbox.state.calls().map(({ status, fault }) => [status, fault])).toEqual([
    [500, 'status 500'],
    [429, 'status 429'],
    [200, null],
  ]);
});

it('loses the request: the connection drops and nothing was done', async () => {
  bed.sandbox.addFaults([{ drop: 'before', count: 1 }]);
  await expect(patch()).rejects.toThrow('fetch failed');
  expect(bed.sandbox.state.contactCount).toBe(0);
  expect(bed.sandbox.state.calls()).toMatchObject([{ status: 0, fault: 'dropped before acting' }]);
  expect((await patch()).json).toMatchObject({ action: 'created' });
});

it('loses the answer: the connection drops and it was done', async () => {
  bed.sandbox.addFaults([{ drop: 'after', count: 1 }]);
  await expect(patch()).rejects.toThrow('fetch failed');
  expect(bed.sandbox.state.contactCount).toBe(1);
  expect((await patch()).json).toMatchObject({ action: 'updated' });
});

describe('latency', () => {
  it('makes a late request: it acts after the wait', async () => {
    bed.sandbox.addFaults([{ latencyMs: 80 }]);
    const answer = patch();
    const began = performance.now();
    await bed.sandbox.until((state) => state.contactCount === 1, 5_000);
    // Timers may fire a millisecond early.
    expect(performance.now() - began).toBeGreaterThan(70);
    expect((await answer).status).toBe(200);
  });

  it('makes a late answer: it acts at once', async () => {
    bed.sandbox.addFaults([{ latencyMs: 60_000, latencyAt: 'after' }]);
    const answer = patch();
    answer.catch(() => undefined);
    await bed.sandbox.until((state) => state.contactCount === 1, 5_000);
    expect(bed.sandbox.state.calls()).toEqual([]);
    await bed.sandbox.close();
    await expect(answer).rejects.toThrow('fetch failed');
  });
});

it.each([
  ['malformed', '{"data":{"id":'],
  ['empty', ''],
  ['html', '<html><body><h1>Bad Gateway</h1></body></html>'],
] as const)('acts and spoils the answer: %s', async (body, text) => {
  bed.sandbox.addFaults([{ body, count: 1 }]);
  const answer = await fetch(bed.sandbox.apiUrl + PATH, {
    method: 'PATCH',
    headers: { 'api-token': bed.sandbox.token },
    body: JSON.stringify(CONTACT),
  });
  expect([answer.status, await answer.text()]).toEqual([200, text]);
  expect(bed.sandbox.state.contactCount).toBe(1);
});

it('rejects one address, however the request names it, and lets others pass', async () => {
  await patch();
  const id = bed.sandbox.state.contact('a@example.com')?.id ?? '';
  bed.sandbox.addFaults([{ reject: 'A@example.com' }]);
  const byId = await bed.call('PATCH', `/api/contacts/${id}`, { contact: { email: 'new@example.com' } });
  for (const answer of [await patch(), byId, await bed.call('POST', '/api/contacts', CONTACT)]) {
    expect([answer.status, answer.json]).toEqual([422, { errors: { email: ['is invalid'] } }]);
  }
  expect((await bed.call('GET', PATH)).status).toBe(200);
  expect(
    (await bed.call('PATCH', '/api/contacts/b%40example.com', { contact: { email: 'b@example.com' } })).status,
  ).toBe(200);
  bed.sandbox.clearFaults();
  expect((await patch()).status).toBe(200);
});

async function seededRun(): Promise<number[]> {
  const one = await testBed({ seed: 42, faults: [{ status: 500, rate: 0.5 }] });
  for (let n = 0; n < 20; n += 1) await one.call('PATCH', PATH, CONTACT);
  return one.sandbox.state.calls().map(({ status }) => status);
}

it('does the same for the same seed', async () => {
  const first = await seededRun();
  expect(new Set(first)).toEqual(new Set([200, 500]));
  expect(await seededRun()).toEqual(first);
});
