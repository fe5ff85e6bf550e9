import { describe, expect, test } from 'vitest';
import { destination, parse, table, warnings } from '../../test/support/config-text.ts';

const PROFILES = table('profiles', 'plan: PLAN');
const to = (...lines: readonly string[]): string => destination('token: "12345678"', ...lines);

test('left out, a no is for all, nothing is written back and nobody may ask', () => {
  const config = parse(to());
  expect(config).toMatchObject({ consentPolicy: 'global', consentReaders: [], writeBacks: [] });
  expect(config.destinations[0]?.topic).toBeUndefined();
  // A config that says so is what it was without.
  expect(parse(`${to()}consent_policy: global\nconsent_readers: []\nwrite_back:\n`).hash).toBe(config.hash);
});

test('an answer with what stands beside it', () => {
  const text = `${PROFILES}consent: {column: profiles.opted_in, at: profiles.opted_in_at, confirmed: profiles.confirmed}`;
  expect(parse(text).consent).toMatchObject({
    table: { schema: 'public', table: 'profiles' },
    path: ['opted_in'],
    at: ['opted_in_at'],
    confirmed: ['confirmed'],
  });
  expect(parse('consent: {column: user_metadata.yes, at: user_metadata.since}').consent).toMatchObject({
    path: ['user_metadata', 'yes'],
    at: ['user_metadata', 'since'],
    confirmed: undefined,
  });
});

describe('write_back', () => {
  const written = (text: string) => parse(`${PROFILES}write_back: ${text}`).writeBacks;
  test('one place or several, in all their forms', () => {
    expect(written('{column: profiles.left}')).toMatchObject([
      {
        target: { kind: 'column', table: { schema: 'public', table: 'profiles' }, name: 'left', insert: false },
        says: 'opted_out',
      },
    ]);
    expect(
      written(
        String.raw`[{app_metadata: left}, {column: "app.my\\.prefs.state", says: opted_in, contact: {email: mail}, insert: true}]`,
      ),
    ).toMatchObject([
      { target: { kind: 'app_metadata', name: 'left' } },
      {
        target: {
          table: { schema: 'app', table: 'my.prefs' },
          name: 'state',
          link: { kind: 'email', column: 'mail' },
          insert: true,
        },
        says: 'opted_in',
      },
    ]);
  });

  test('where it stands in the file says nothing, what it says does', () => {
    const one = parse(`${PROFILES}write_back: {column: profiles.left}`);
    expect(parse(`${PROFILES}\n\nwrite_back: [{column: profiles.left}]`).hash).toBe(one.hash);
    expect(parse(`${PROFILES}write_back: {column: profiles.gone}`).hash).not.toBe(one.hash);
  });
});

test('a topic needs the policy that heeds it', () => {
  expect(warnings(parse(to('topic: news')))).toEqual(['3:3 RC_WARN_TOPIC']);
  const heeded = parse(`${to('topic: news')}consent_policy: per_topic\nconsent_readers: [service_role, service_role]`);
  expect(warnings(heeded)).toEqual([]);
  expect(heeded).toMatchObject({ consentPolicy: 'per_topic', consentReaders: ['service_role'] });
  expect(heeded.destinations[0]?.topic).toBe('news');
});
