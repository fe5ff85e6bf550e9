import { expect, test } from 'vitest';
import { restored, silenced } from './silence.ts';

test.each([
  [
    'CREATE TRIGGER a AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.f()',
    'CREATE OR REPLACE TRIGGER a AFTER INSERT ON auth.users FOR EACH ROW WHEN (false) EXECUTE FUNCTION public.f()',
  ],
  [
    `CREATE TRIGGER "FOR EACH ROW ""x""" AFTER UPDATE OF name ON profiles FOR EACH ROW WHEN ((new.a = 'x EXECUTE y'::text)) EXECUTE FUNCTION supabase_functions.http_request('http://x', '{"a": "b EXECUTE FUNCTION c"}')`,
    `CREATE OR REPLACE TRIGGER "FOR EACH ROW ""x""" AFTER UPDATE OF name ON profiles FOR EACH ROW WHEN (false) EXECUTE FUNCTION supabase_functions.http_request('http://x', '{"a": "b EXECUTE FUNCTION c"}')`,
  ],
  [
    'CREATE TRIGGER a AFTER INSERT ON t REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION f()',
    'CREATE OR REPLACE TRIGGER a AFTER INSERT ON t REFERENCING NEW TABLE AS n FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION f()',
  ],
  ['CREATE CONSTRAINT TRIGGER a AFTER INSERT ON t NOT DEFERRABLE FOR EACH ROW EXECUTE FUNCTION f()', undefined],
  ['CREATE TRIGGER a INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION f()', undefined],
])('%s', (definition, expected) => {
  expect(silenced(definition)).toBe(expected);
});

test('what was silenced comes back as it was', () => {
  expect(restored('CREATE TRIGGER a AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()')).toBe(
    'CREATE OR REPLACE TRIGGER a AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()',
  );
});
