import { expect, test } from 'vitest';
import { createCallers } from './callers.ts';

const OWN = 'own-key-of-sixteen-characters';
const SECRET = 'sb_secret_0123456789abcdef';
const LEGACY = 'eyJhbGciOiJIUzI1NiJ9.e30.signature';
const ENV = {
  ROLLCALL_EDGE_KEY: OWN,
  SUPABASE_SECRET_KEYS: JSON.stringify({ default: SECRET, other: 7 }),
  SUPABASE_SERVICE_ROLE_KEY: LEGACY,
  ROLLCALL_HOOK_TOKEN: 'the-token-of-webhooks',
};
const none = (): Promise<undefined> => Promise.resolve(undefined);

test.each<[string, Record<string, string>, boolean, boolean]>([
  ['our own key', { apikey: OWN }, true, true],
  ['a secret key of the project', { apikey: SECRET }, true, true],
  ['the same as a bearer token', { authorization: `Bearer ${SECRET}` }, true, true],
  ['the legacy key', { authorization: `bearer  ${LEGACY}` }, true, true],
  ['the token of webhooks', { authorization: 'Bearer the-token-of-webhooks' }, false, true],
  ['nothing', {}, false, false],
  ['another key', { apikey: `${OWN}x` }, false, false],
  ['a part of a key', { apikey: OWN.slice(0, 20) }, false, false],
  ['another scheme', { authorization: `Basic ${OWN}` }, false, false],
])('%s', async (_name, headers, wakes, hints) => {
  const callers = createCallers(ENV, none, () => 0);
  expect(await callers.may(new Headers(headers), 'wake')).toBe(wakes);
  expect(await callers.may(new Headers(headers), 'hint')).toBe(hints);
});

test('an empty or a short key lets nobody in', async () => {
  const env = { ROLLCALL_EDGE_KEY: '', SUPABASE_SECRET_KEYS: 'not json', SUPABASE_SERVICE_ROLE_KEY: 'short' };
  const callers = createCallers(
    env,
    () => Promise.resolve(''),
    () => 0,
  );
  for (const apikey of ['', 'short', 'undefined', 'null']) {
    expect(await callers.may(new Headers({ apikey }), 'hint')).toBe(false);
  }
  expect(callers.ownKey()).toBeUndefined();
});

test('a key in Vault is looked for when one is not known, and not for everybody who sends nonsense', async () => {
  let now = 0;
  let asked = 0;
  let vault: Record<string, string> = { rollcall_edge_key: 'the-first-key-in-vault' };
  const callers = createCallers(
    {},
    (name) => ((asked += 1), Promise.resolve(vault[name])),
    () => now,
  );
  const wakes = (apikey: string): Promise<boolean> => callers.may(new Headers({ apikey }), 'wake');
  expect(await wakes('the-first-key-in-vault')).toBe(true);
  expect(callers.ownKey()).toBe('the-first-key-in-vault');
  const once = asked;
  for (let n = 0; n < 50; n += 1) expect(await wakes(`nonsense-of-somebody-${n}`)).toBe(false);
  expect(asked).toBe(once);
  // It was changed for another one.
  vault = { rollcall_edge_key: 'the-second-key-in-vault' };
  now = 10_000;
  expect(await wakes('the-second-key-in-vault')).toBe(true);
  expect(await wakes('the-first-key-in-vault')).toBe(false);
});
