import { afterEach, describe, expect, test } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import { closeAll, testBed, type Answer, type TestBed } from './client.ts';

afterEach(closeAll);

const NEW = { email: 'Ann@Example.com', domain_id: 7, sending_stream: 'bulk', type: 'unsubscription' };

function list({ json }: Answer): readonly { readonly id: string; readonly email: string; readonly type: string }[] {
  return json as unknown as never;
}

function id({ json }: Answer): string {
  return (json as unknown as { data: { id: string } }).data.id;
}

async function many({ sandbox }: TestBed, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) sandbox.state.suppress(`p${n}@example.com`);
}

describe('suppressions', () => {
  test('are made, read and ended; a contact of that address is unsubscribed meanwhile', async () => {
    const bed = await testBed();
    await bed.call('POST', '/api/contacts', { contact: { email: 'ann@example.com' } });
    const made = await bed.call('POST', '/api/suppressions', NEW);
    expect(made.status).toBe(201);
    expect(bed.sandbox.state.contact('ann@example.com')?.status).toBe('unsubscribed');
    const again = await bed.call('POST', '/api/suppressions', NEW);
    expect(id(again)).toBe(id(made));
    expect(list(await bed.call('GET', '/api/suppressions'))).toMatchObject([
      { id: id(made), email: 'ann@example.com', type: 'unsubscription', sending_stream: 'bulk' },
    ]);
    expect((await bed.call('DELETE', `/api/suppressions/${id(made)}`)).status).toBe(200);
    expect((await bed.call('DELETE', `/api/suppressions/${id(made)}`)).status).toBe(404);
    expect(bed.sandbox.state.contact('ann@example.com')?.status).toBe('subscribed');
    expect(list(await bed.call('GET', '/api/accounts/42/suppressions'))).toEqual([]);
  });

  test('come in pages of 1,000, those after last_id', async () => {
    const bed = await testBed();
    await many(bed, 2_001);
    const seen: string[] = [];
    const sizes: number[] = [];
    for (let after = ''; ;) {
      const page = list(await bed.call('GET', `/api/suppressions${after}`));
      sizes.push(page.length);
      seen.push(...page.map(({ email }) => email));
      if (page.length === 0) break;
      after = `?last_id=${page.at(-1)!.id}`;
    }
    expect(sizes).toEqual([1_000, 1_000, 1, 0]);
    expect(new Set(seen).size).toBe(2_001);
    expect((await bed.call('GET', '/api/suppressions?last_id=nobody')).status).toBe(400);
  });

  test('are found by address and by time', async () => {
    let at = Date.parse('2026-01-01T00:00:00Z');
    const bed = await testBed({ now: () => at });
    for (const email of ['a@example.com', 'b@example.com']) {
      bed.sandbox.state.suppress(email, 'hard bounce');
      at += 86_400_000;
    }
    const emails = async (query: string): Promise<readonly string[]> =>
      list(await bed.call('GET', `/api/suppressions?${query}`)).map(({ email }) => email);
    expect(await emails('email=A%40example.com')).toEqual(['a@example.com']);
    expect(await emails('start_time=2026-01-01T12:00:00Z')).toEqual(['b@example.com']);
    expect(await emails('end_time=2026-01-01T12:00:00Z')).toEqual(['a@example.com']);
    expect((await bed.call('GET', '/api/suppressions?start_time=soon')).status).toBe(400);
  });

  test.each<[string, Json]>([
    ['no address', { ...NEW, email: '' }],
    ['no domain', { ...NEW, domain_id: 'x' }],
    ['another stream', { ...NEW, sending_stream: 'any' }],
    ['another type', { ...NEW, type: 'whim' }],
  ])('%s is refused', async (_, body) => {
    const bed = await testBed();
    expect((await bed.call('POST', '/api/suppressions', body)).status).toBe(422);
  });

  test('are for a token with more rights than contacts need', async () => {
    const bed = await testBed({ admin: false });
    expect((await bed.call('GET', '/api/suppressions')).status).toBe(403);
    expect((await bed.call('POST', '/api/suppressions', NEW)).status).toBe(403);
    expect((await bed.call('GET', '/api/contacts/lists')).status).toBe(200);
    expect((await bed.call('GET', '/api/suppressions', undefined, {})).status).toBe(401);
  });

  test('have a limit of their own: 10 in a minute', async () => {
    const bed = await testBed({ limitsScale: 1, now: () => 0 });
    const statuses: number[] = [];
    for (let n = 0; n < 11; n += 1) statuses.push((await bed.call('GET', '/api/suppressions')).status);
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 200), 429]);
    expect((await bed.call('GET', '/api/contacts/lists')).status).toBe(200);
  });
});
