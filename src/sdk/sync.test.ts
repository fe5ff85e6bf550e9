import { expect, test } from 'vitest';
import { registry } from '../destinations/registry.ts';
import { parseConfig } from '../config/load.ts';
import { configFrom, configText } from './sdk-config.ts';
import { syncRequests } from './sync.ts';

test('what is to be synced: one walk for each resource, tables of public by their name alone', () => {
  expect(syncRequests({ type: 'full' })).toEqual([{ what: 'full', since: undefined, resource: undefined }]);
  const since = '2024-01-01T00:00:00.000Z';
  expect(
    syncRequests({ type: 'incremental', since: new Date(since), resources: ['users', 'customers', 'crm.leads'] }),
  ).toEqual(['users', 'public.customers', 'crm.leads'].map((resource) => ({ what: 'incremental', since, resource })));
  for (const wrong of [
    { type: 'incremental' },
    { type: 'incremental', since: 'then' },
    // Dates to Date.parse: of 2001, of 1970, and of wherever this machine stands.
    { type: 'incremental', since: 'last 7' },
    { type: 'incremental', since: null as unknown as string },
    { type: 'incremental', since: '2024-01-01T00:00:00' },
    { type: 'full', since },
  ] as const)
    expect(() => syncRequests(wrong)).toThrow(expect.objectContaining({ code: 'RC_SYNC_SINCE' }));
  expect(() => syncRequests({ type: 'all' as 'full' })).toThrow(expect.objectContaining({ code: 'RC_SYNC_WHAT' }));
});

test('a config in code is the same as in YAML, and its text gives the same hash', async () => {
  const config = {
    connectors: { supabase: { user_mapping: { email: 'email', 'user_metadata.full_name': 'FIRSTNAME' } } },
    destinations: { brevo: { api_key: '${KEY}' } },
    consent: 'nobody',
  };
  const yaml = `
connectors: {supabase: {user_mapping: {email: email, user_metadata.full_name: FIRSTNAME}}}
destinations: {brevo: {api_key: "\${KEY}"}}
consent: nobody`;
  const env = { KEY: 'a-key-of-the-test' };
  const { hash } = parseConfig(yaml, { file: 'rollcall.yaml', env, registry });
  expect((await configFrom({ config }, env, registry)).hash).toBe(hash);
  expect(parseConfig(configText(config), { file: 'rollcall.yaml', env, registry }).hash).toBe(hash);
});

test('what a config uses often is written each time, and nothing at all is no config', async () => {
  const target = { to: 'CITY', transform: 'trim' };
  const tables = Array.from({ length: 150 }, (_, n) => [`table_${n}`, { email: 'email', city: target }] as const);
  const config = { table_mapping: Object.fromEntries(tables), consent: 'nobody' };
  expect((await configFrom({ config }, {}, registry)).tables).toHaveLength(150);
  const loop: Record<string, unknown> = { consent: 'nobody' };
  loop['sweep'] = loop;
  for (const none of [loop, { sweep: () => 1 }])
    expect(() => configText(none)).toThrow(expect.objectContaining({ code: 'RC_CONFIG_YAML' }));
  for (const apiKey of [undefined, ''])
    await expect(configFrom({ apiKey }, {}, registry)).rejects.toMatchObject({
      code: 'RC_CONFIG_NOT_FOUND',
      hint: expect.stringContaining('apiKey'),
    });
});

test('a key alone is a config, in which it is no text; and says what a key is not enough for', async () => {
  const { destinations, consent } = await configFrom(
    { apiKey: 'a-key-${HOME}', destination: 'mailtrap' },
    {},
    registry,
  );
  expect([destinations[0]?.name, consent]).toEqual(['mailtrap', { kind: 'nobody' }]);
  expect(destinations[0]?.options).toMatchObject({ api_token: 'a-key-${HOME}' });
  await expect(configFrom({ apiKey: 'x', destination: 'mailchimp' }, {}, registry)).rejects.toMatchObject({
    code: 'RC_CONFIG_DESTINATION',
    hint: expect.stringContaining('brevo, mailtrap'),
  });
});
