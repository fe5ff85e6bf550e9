import { expect, test } from 'vitest';
import { ConfigErrors } from './config-errors.ts';
import { explainConfigErrors } from './explain.ts';
import { checkMistakes, failure, parse } from '../../test/support/config-text.ts';

const KEY = 'a key of erasures that is long enough';

test('what is absent is off; what is said is read', () => {
  const off = { key: undefined, onUserDeleted: false, export: undefined, exportToken: undefined };
  expect(parse('consent: nobody\n').erasure).toEqual(off);
  expect(parse('erasure:\n').erasure).toEqual(off);
  const text =
    'erasure: { key: "${KEY}", on_user_deleted: "${ON}", export: https://x.supabase.co/kept, export_token: "${T}" }';
  expect(parse(text, { KEY, ON: 'true', T: 'tok' }).erasure).toEqual({
    key: KEY,
    onUserDeleted: true,
    export: 'https://x.supabase.co/kept',
    exportToken: 'tok',
  });
  expect(parse('erasure: { export: ./kept.jsonl }').erasure.export).toBe('./kept.jsonl');
});

test('only what shapes what is sent changes the hash: the key and the place do not', () => {
  const hash = (erasure: string): string => parse(`erasure: ${erasure}`).hash;
  expect(hash(`{ key: "${KEY}", export: ./kept }`)).toBe(hash('{}'));
  expect(hash('{ on_user_deleted: true }')).not.toBe(hash('{}'));
});

checkMistakes([
  {
    name: 'a short key',
    text: 'erasure: { key: short }',
    are: ['1:17 RC_CONFIG_VALUE'],
    says: '32 characters',
    hint: 'openssl',
  },
  { name: 'a key that is no text', text: 'erasure: { key: 12 }', are: ['1:17 RC_CONFIG_TYPE'] },
  { name: 'an unknown key', text: 'erasure: { keys: x }', are: ['1:12 RC_CONFIG_UNKNOWN_KEY'] },
  { name: 'http to elsewhere', text: 'erasure: { export: http://example.com/x }', are: ['1:20 RC_CONFIG_VALUE'] },
  {
    name: 'a user in the address',
    text: 'erasure: { export: https://me@example.com/x }',
    are: ['1:20 RC_CONFIG_VALUE'],
  },
  { name: 'another protocol', text: 'erasure: { export: ftp://example.com/x }', are: ['1:20 RC_CONFIG_VALUE'] },
  {
    name: 'a token for a file',
    text: 'erasure: { export: ./kept, export_token: secret }',
    are: ['1:28 RC_CONFIG_VALUE'],
  },
  { name: 'a secret of Vault', text: 'erasure: { key: "${vault:K}" }', are: ['1:17 RC_CONFIG_VAULT'] },
]);

test('a mistake shows nothing of the key', () => {
  const failed = failure('erasure: { key: "short-secret", export_token: tok-secret }');
  expect(failed).toBeInstanceOf(ConfigErrors);
  expect(explainConfigErrors(failed)).not.toMatch(/short-secret|tok-secret/);
});
