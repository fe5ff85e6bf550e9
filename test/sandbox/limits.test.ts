import { afterEach, expect, it } from 'vitest';
import { closeAll, testBed, type TestBed } from './client.ts';

afterEach(closeAll);

async function ask(bed: TestBed, times: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let n = 0; n < times; n += 1) statuses.push((await bed.call('GET', '/api/contacts/lists')).status);
  return statuses;
}

it('allows 200 requests in 60 s to all of the Contacts API together, in both path styles', async () => {
  let time = 0;
  const bed = await testBed({ limitsScale: 1, now: () => time });
  expect(new Set(await ask(bed, 100))).toEqual(new Set([200]));
  time = 20_000;
  const paths = ['fields', 'lists', 'imports/1', 'exports/1', 'a%40example.com'];
  for (let n = 0; n < 100; n += 1) {
    const base = n % 2 === 0 ? '/api/contacts' : '/api/accounts/1/contacts';
    expect((await bed.call('GET', `${base}/${paths[n % paths.length]}`)).status).not.toBe(429);
  }
  const body = { name: 'UserLogin' };
  const refused = await bed.call('POST', '/api/contacts/a%40example.com/events', body);
  expect([refused.status, refused.json]).toEqual([429, { errors: 'Rate limit exceeded' }]);
  time = 59_999;
  expect(await ask(bed, 1)).toEqual([429]);
  time = 60_000;
  expect(new Set(await ask(bed, 100))).toEqual(new Set([200]));
  expect(await ask(bed, 1)).toEqual([429]);
});

it('allows 150 requests in 10 s per token, and tells of that bucket alone in its headers', async () => {
  let time = 0;
  const bed = await testBed({ limitsScale: 1, now: () => time });
  const first = await bed.call('GET', '/api/contacts/lists');
  expect([first.headers.get('x-ratelimit-limit'), first.headers.get('x-ratelimit-remaining')]).toEqual(['150', '149']);
  expect(new Set(await ask(bed, 149))).toEqual(new Set([200]));
  const refused = await bed.call('GET', '/api/contacts/lists');
  expect([refused.status, refused.headers.get('x-ratelimit-remaining')]).toEqual([429, '0']);
  expect(refused.headers.has('retry-after')).toBe(false);
  time = 10_000;
  expect(new Set(await ask(bed, 50))).toEqual(new Set([200]));
  const contacts = await bed.call('GET', '/api/contacts/lists');
  expect([contacts.status, contacts.headers.get('x-ratelimit-remaining')]).toEqual([429, '100']);
});

it('scales both limits, and refuses a scale that allows nothing', async () => {
  const bed = await testBed({ limitsScale: 0.05, now: () => 0 });
  expect(await ask(bed, 8)).toEqual([...Array<number>(7).fill(200), 429]);
  await expect(testBed({ limitsScale: 0 })).rejects.toMatchObject({ code: 'RC_SANDBOX_LIMITS' });
});

it('does not count requests without the right token', async () => {
  const bed = await testBed({ limitsScale: 0.05, now: () => 0 });
  for (let n = 0; n < 20; n += 1) await bed.call('GET', '/api/contacts/lists', undefined, {});
  expect(await ask(bed, 1)).toEqual([200]);
});
