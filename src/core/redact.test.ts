import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redact } from './redact.ts';

describe('redact', () => {
  test.each([
    ['Email a+b@x.y is invalid', 'Email [email] is invalid'],
    ["o'brien@x.y", '[email]'],
    ['PATCH /api/contacts/jos%C3%A9%40ex.org failed', 'PATCH /api/contacts/[email] failed'],
    ['{"email":"ünï@exämple.org"}', '{"email":"[email]"}'],
    [
      'postgres://postgres:s3cr3t@db.example.com:5432/postgres',
      'postgres://postgres:[secret]@db.example.com:5432/postgres',
    ],
    ['Authorization: Bearer abc.def-123', 'Authorization: Bearer [secret]'],
    ['Api-Token: 0123456789abcdef', 'Api-Token: [secret]'],
    ['api_key=abc123&x=1', 'api_key=[secret]&x=1'],
    ['{"password":"hunter22"}', '{"password":"[secret]"}'],
    ['jwt eyJhbGciOi.eyJzdWIi.c2ln end', 'jwt [secret] end'],
    ['key 9f86d081884c7d659a2feaa0c55ad015 end', 'key [secret] end'],
    ['call +49 151 2345 6789 now', 'call [phone] now'],
  ])('%s', (text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  test('leaves ids, numbers and prose alone', () => {
    const text =
      'contact 018dd5e3-f6d2-7c00-8f9b-e5c3f2d8a132 was refused with 422 after 1500 ms: https://mailtrap.io/api/contacts';
    expect(redact(text)).toBe(text);
  });

  test('removes given secrets wherever they stand', () => {
    expect(redact('x-tok-y tok', ['tok', ''])).toBe('x-[secret]-y [secret]');
  });

  test('no address survives, whatever stands around it', () => {
    fc.assert(
      fc.property(fc.emailAddress(), fc.constantFrom('', ' ', '"', '<', ', '), (email, around) => {
        const domain = email.slice(email.lastIndexOf('@'));
        expect(redact(`refused ${around}${email}${around} now`)).not.toContain(domain);
        expect(redact(`/contacts/${encodeURIComponent(email)}`)).not.toContain(encodeURIComponent(domain));
      }),
    );
  });

  test('long input takes linear time', () => {
    const started = performance.now();
    redact('a'.repeat(300_000));
    redact('a1'.repeat(150_000));
    redact('+1'.repeat(100_000));
    redact(`${'a'.repeat(50_000)} @`);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
