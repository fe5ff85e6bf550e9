import { describe, expect, test } from 'vitest';
import type { FailedOne } from '../sql/store/failures.ts';
import { registry } from '../destinations/registry.ts';
import { adviceFor } from './failure-advice.ts';
import { shownContact, shownWords } from './failure-words.ts';

const one: FailedOne = {
  contact: '7',
  event: null,
  eventName: null,
  key: 'email:ann@example.com',
  address: 'ann@example.com',
  message: '',
  payload: [{ NAME: 'Ann Lee', CITY: { name: 'Oslo' }, AGE: 41_222, N: 1 }, { note: 'a ring' }],
  at: '2026-01-02 03:04:05+00',
};
const words = (message: string, code = 'invalid_field'): string => shownWords({ ...one, message }, code);

describe('the words of a failure', () => {
  test.each([
    ['NAME: Ann Lee is too long', 'NAME: [value] is too long'],
    ['no 41222 in Oslo, nor a ring', 'no [value] in [value], nor [value]'],
    ['bob@example.com has it already', '[email] has it already'],
    ['1 of 3 fields', '1 of 3 fields'],
    ['two\n  lines', 'two lines'],
  ])('%j are shown as %j', (message, shown) => expect(words(message)).toBe(shown));

  test('of a Postgres error without what it quotes', () => {
    expect(words('invalid input syntax for type date: "3rd of May"', '22007')).toBe(
      'invalid input syntax for type date: "[value]"',
    );
  });
});

test('who a contact is', () => {
  expect(shownContact(one, false)).toBe('contact 7, a***@example.com');
  expect(shownContact({ ...one, address: null }, true)).toBe('contact 7, ann@example.com');
  expect(shownContact({ ...one, key: 'a-b-c', address: null }, false)).toBe('contact 7, user a-b-c');
  expect(shownContact({ ...one, contact: null, key: null, address: null }, false)).toBe('nobody known');
});

describe('what to do', () => {
  const of = (code: string, field: string | null = null, stage: 'map' | 'deliver' | 'event' = 'deliver'): string =>
    adviceFor({ type: 'mailtrap', stage, code, field });

  test('in the destination’s own words where it has some, with the field at fault', () => {
    expect(of('unknown_field', 'PLAN')).toContain('merge tag PLAN.');
    expect(adviceFor({ type: 'elsewhere', stage: 'deliver', code: 'unknown_field', field: 'PLAN' })).toContain(
      'Create the field PLAN',
    );
    expect(of('invalid_field')).not.toContain('{field}');
  });

  test('of values that do not fit, and of codes that nobody knows', () => {
    expect(of('22P02', null, 'map')).toContain('rollcall apply');
    expect(of('22P02', null, 'event')).toContain('nothing to send');
    for (const code of ['http_422', 'constructor', 'toString']) expect(of(code)).toContain('Correct what it says');
  });

  test('no destination has advice with another placeholder', () => {
    const texts = registry.flatMap(({ advice }) => Object.values(advice ?? {}));
    expect(texts.length).toBeGreaterThan(0);
    for (const text of texts) expect(text.replaceAll('{field}', '')).not.toMatch(/[{}]/);
  });
});
