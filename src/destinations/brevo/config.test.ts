import { describe, expect, test } from 'vitest';
import { tajo } from '../tajo/index.ts';
import { brevo } from './index.ts';

function parse(options: Record<string, unknown>) {
  return brevo.config.parse({ api_key: 'key', ...options });
}

describe('options', () => {
  test('a key is enough', () => {
    expect(parse({})).toEqual({
      api_key: 'key',
      base_url: 'https://api.brevo.com/v3',
      plan: 'general',
      lists: [],
      list_policy: 'once',
      folder: 1,
      update_by: 'import',
      sms: 'on',
      clear_as: 'empty',
      limits_scale: 1,
      concurrency: 10,
      webhook_secrets: [],
    });
  });

  test('a missing key names the variable it usually comes from', () => {
    expect(() => brevo.config.parse({ api_key: '' })).toThrow(/set BREVO_API_KEY to an API key/);
    expect(() => tajo.config.parse({ api_key: '' })).toThrow(/set TAJO_API_KEY to an API key/);
  });

  test.each([
    'http://worker.example/hooks/0123456789abcdef',
    'https://worker.example/hook',
    'worker.example/hooks/0123456789abcdef',
  ])('notify_url %s is refused', (url) => {
    expect(() => parse({ notify_url: url })).toThrow(/must/);
  });

  test('notify_url is told to imports', () => {
    const url = 'https://worker.example/hooks/0123456789abcdef';
    const config = parse({ notify_url: url, lists: [2] });
    expect(brevo.bulk?.notifyUrl?.(config)).toBe(url);
    expect(JSON.parse(brevo.bulk?.request([], config).body ?? '')).toMatchObject({ notifyUrl: url, listIds: [2] });
  });
});

describe('limits', () => {
  test.each([
    ['general', [10, 36_000, 100]],
    ['advanced', [20, 72_000, 200]],
    ['extended', [60, undefined, 200]],
  ] as const)('of the plan %s', (plan, [second, hour, other]) => {
    const { buckets } = brevo.limits(parse({ plan }));
    const of = (name: string) => buckets.find((bucket) => bucket.name === name)?.requests;
    expect([of('contacts'), of('contacts_hour'), of('other')]).toEqual([second, hour, other]);
    expect([of('events'), of('events_hour')]).toEqual([second, hour]);
  });

  test('what counts where, and scaled', () => {
    const { buckets } = brevo.limits(parse({ limits_scale: 100 }));
    const counted = Object.fromEntries(buckets.map(({ name, of, requests }) => [name, [requests, ...(of ?? [])]]));
    expect(counted).toEqual({
      contacts: [1_000, 'contact', 'bulk', 'read', 'suppressions'],
      contacts_hour: [3_600_000, 'contact', 'bulk', 'read', 'suppressions'],
      events: [1_000, 'event'],
      events_hour: [3_600_000, 'event'],
      other: [10_000, 'poll'],
    });
  });
});

test('Tajo is Brevo under its own name', () => {
  expect([tajo.id, tajo.name, tajo.docsUrl]).toEqual(['tajo', 'Tajo', 'https://tajo.io/docs/connectors']);
  const config = tajo.config.parse({ api_key: 'key' });
  expect(tajo.probe(config)?.url).toBe('https://api.brevo.com/v3/contacts/attributes');
  expect(tajo.auth(config)).toEqual({ header: 'api-key', value: 'key' });
});
