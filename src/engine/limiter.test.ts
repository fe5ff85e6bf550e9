import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLimiter } from './limiter.ts';

const NEVER = new AbortController().signal;
/** A request leaves, and so long the store takes to answer. */
const [EVERY_MS, STORE_MS] = [2, 5];

beforeEach(() => vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }));
afterEach(() => vi.useRealTimers());

/** Lets so many requests through; resolves to how many waited, and how many permits were asked for. */
async function send(count: number, everyMs: number): Promise<{ waited: number; asked: number }> {
  let asked = 0;
  const take = async (want: number): Promise<{ granted: number; waitMs: number }> => {
    asked += want;
    await new Promise((resolve) => {
      setTimeout(resolve, STORE_MS);
    });
    return { granted: want, waitMs: 0 };
  };
  const limiter = createLimiter(take, () => 0, 1_000);
  let waited = 0;
  for (let n = 0; n < count; n += 1) {
    let through = false;
    const permit = (async () => {
      through = await limiter.acquire(Infinity, NEVER);
    })();
    await vi.advanceTimersByTimeAsync(0);
    if (!through) waited += 1;
    await vi.advanceTimersByTimeAsync(everyMs);
    if (!through) await vi.advanceTimersByTimeAsync(STORE_MS);
    await permit;
  }
  return { waited, asked };
}

test('at a steady pace permits are there before they are needed, and few go to waste', async () => {
  const { waited, asked } = await send(500, EVERY_MS);
  expect(waited).toBeLessThan(15);
  expect(asked).toBeLessThan(500 + 50);
});

test('now and then, none is asked for that nobody needs', async () => {
  const { asked } = await send(20, 500);
  expect(asked).toBe(20);
});

test('permits that are too old are not used', async () => {
  let asked = 0;
  const take = async (want: number): Promise<{ granted: number; waitMs: number }> => {
    asked += want;
    return { granted: want + 5, waitMs: 0 };
  };
  const limiter = createLimiter(take, () => 0, 100);
  expect(await limiter.acquire(Infinity, NEVER)).toBe(true);
  await vi.advanceTimersByTimeAsync(50);
  expect(await limiter.acquire(Infinity, NEVER)).toBe(true);
  expect(asked).toBe(1);
  await vi.advanceTimersByTimeAsync(100);
  expect(await limiter.acquire(Infinity, NEVER)).toBe(true);
  expect(asked).toBe(2);
});
