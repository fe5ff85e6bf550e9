import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseConfig } from '../../config/load.ts';
import type { Delivery } from '../../core/destination.ts';
import { sendry } from './index.ts';

const README = readFileSync(new URL('README.md', import.meta.url), 'utf8');
const YAML = /## Coming from the recipe[\s\S]*?```yaml\n([\s\S]*?)```/.exec(README)?.[1] ?? '';

test('the config that takes the recipe’s place says what the recipe says', () => {
  const env = { SENDRY_API_KEY: 'sn_live_xxxxxxxxxxxx' };
  const config = parseConfig(YAML, { file: 'rollcall.yaml', env, registry: [sendry] });
  expect(config.warnings).toEqual([]);
  const { address, attributes } = config.userMapping;
  expect(address).toEqual(['email']);
  expect(attributes.map(({ name, source }) => [name, source])).toEqual([
    ['supabase_user_id', { kind: 'column', path: ['id'] }],
    ['first_name', { kind: 'column', path: ['user_metadata', 'first_name'] }],
    ['last_name', { kind: 'column', path: ['user_metadata', 'last_name'] }],
    ['signup_source', { kind: 'const', value: 'supabase' }],
  ]);

  const id = '5f0c5d3a-8f51-4f0e-9f3d-2a1f0f8f3c11';
  const delivery: Delivery = {
    contactId: '1',
    version: '1',
    action: 'upsert',
    address: 'ada@example.com',
    remote: null,
    attributes: { supabase_user_id: id, first_name: 'Ada', last_name: 'Lovelace', signup_source: 'supabase' },
    takeover: false,
    consent: 'basis',
  };
  const options = sendry.config.parse(config.destinations[0]?.options);
  const sent = sendry.encode(delivery, {}, options).map((operation) => sendry.request([operation], options));
  expect(sendry.auth(options)).toEqual({ header: 'authorization', value: 'Bearer sn_live_xxxxxxxxxxxx' });
  expect(sent.map(({ method, url, body }) => [method, url, JSON.parse(body ?? '')])).toEqual([
    [
      'POST',
      'https://api.sendry.online/v1/contacts',
      {
        email: 'ada@example.com',
        first_name: 'Ada',
        last_name: 'Lovelace',
        audience_id: 'aud_abc123',
        properties: { supabase_user_id: id, signup_source: 'supabase' },
      },
    ],
  ]);
});
