import { expect, test } from 'vitest';
import { TABLE_SCOPE, USER_SCOPE } from './column-scope.ts';
import { FilterError, parseFilter } from './filter.ts';
import { filterSql } from './filter-sql.ts';

const sql = (text: string, scope = TABLE_SCOPE): string => filterSql(parseFilter(text), scope);

test.each([
  ['plan=eq.pro', `"plan" = 'pro'`],
  ['plan=eq.pro&mrr=gt.100', `(("plan" = 'pro') and ("mrr" > '100'))`],
  ['a=neq.1', `"a" <> '1'`],
  ['a=gte.1', `"a" >= '1'`],
  ['a=lt.2024-01-01', `"a" < '2024-01-01'`],
  ['a=lte.1', `"a" <= '1'`],
  // A star is the wildcard, and a percent sign is itself one of SQL.
  ['name=ilike.%john%', `"name" ilike '%john%'`],
  ['name=like.J*n', `"name" like 'J%n'`],
  ['status=in.(active,trial)', `"status" in ('active', 'trial')`],
  // The reserved characters of PostgREST's documentation.
  ['name=in.("Hebdon,John","Williams,Mary")', `"name" in ('Hebdon,John', 'Williams,Mary')`],
  [String.raw`name=in.("Quote:\"","Backslash:\\")`, String.raw`"name" in ('Quote:"', E'Backslash:\\')`],
  ['a=in.(1.5,a b,x:y)', `"a" in ('1.5', 'a b', 'x:y')`],
  ['a=in.("x"y,z)', `"a" in ('"x"y', 'z')`],
  ['a=in.()', `false`],
  ['deleted_at=is.null', `"deleted_at" is null`],
  ['a=is.NOT_NULL', `"a" is not null`],
  ['a=is.true', `"a" is true`],
  ['a=is.unknown', `"a" is unknown`],
  ['a=not.is.null', `not ("a" is null)`],
  ['a=not.in.(1,2)', `not ("a" in ('1', '2'))`],
  ['a=not.eq.x', `not ("a" = 'x')`],
  // Outside of lists and groups quotes, dots, commas and parentheses stand for themselves.
  ['a=eq."x".(y),z', `"a" = '"x".(y),z'`],
  ['a=eq.', `"a" = ''`],
  ['a=eq.x=y', `"a" = 'x=y'`],
  ['a=eq.R%26D 100%25', `"a" = 'R&D 100%25'`],
  [`a=eq.O'Hara`, `"a" = 'O''Hara'`],
  [`a"b=eq.1`, `"a""b" = '1'`],
  ['"information.cpe"=like.*MS*', `"information.cpe" like '%MS%'`],
  ['information.cpe=eq.x', `("information" #>> array['cpe']::pg_catalog.text[]) = 'x'`],
  ['data->>color=eq.red', `("data" ->> 'color') = 'red'`],
  ['data->sizes->0=gt.3', `(("data" -> 'sizes') -> 0) > '3'`],
  ['data->"a.b"->>"0"=eq.x', `(("data" -> 'a.b') ->> '0') = 'x'`],
  ['or=(age.lt.18,age.gt.21)', `(("age" < '18') or ("age" > '21'))`],
  ['not.and=(a.gte.0,a.lte.9)', `not (("a" >= '0') and ("a" <= '9'))`],
  [
    'x=eq.1&or=(a.is.null, not.and(b.eq."2,3",c.not.in.(4,5)))',
    `(("x" = '1') and ((("a" is null) or (not (("b" = '2,3') and (not ("c" in ('4', '5'))))))))`,
  ],
])('%s', (text, expected) => {
  expect(sql(text).replaceAll(' ', '')).toBe(expected.replaceAll(' ', ''));
});

test('columns of users are those of user_mapping, their metadata by arrows or dots', () => {
  expect(sql('user_metadata->>plan=eq.pro', USER_SCOPE)).toBe(`("user_metadata" ->> 'plan') = 'pro'`);
  expect(sql('raw_user_meta_data.plan=eq.pro', USER_SCOPE)).toBe(
    `("user_metadata" #>> array['plan']::pg_catalog.text[]) = 'pro'`,
  );
  expect(() => sql('encrypted_password=eq.x', USER_SCOPE)).toThrow(/"encrypted_password" can't be mapped/);
});

test.each([
  ['', 1, 'a column is missing'],
  ['plan', 1, 'there is no "=" after "plan"'],
  ['plan=pro', 6, '"pro" is no operator'],
  ['plan=eq', 6, 'there is no "." after eq'],
  ['a=eq.1&&b=eq.2', 8, 'a column is missing'],
  ['mrr=gtt.100', 5, '"gtt" is no operator'],
  ['a=fts.cat', 3, '"fts" is no operator'],
  ['a=is.maybe', 6, 'nothing is "maybe"'],
  ['a=in.active', 6, 'a list in parentheses is missing'],
  ['a=in.(b', 6, 'a parenthesis is not closed'],
  ['a=in.(b)c', 9, '"c" can\'t stand here'],
  ['"a=eq.1', 1, 'a quote is not closed'],
  ['data->=eq.1', 7, 'a key is missing behind the arrow'],
  ['or=(a.eq.1', 4, 'a parenthesis is not closed'],
  ['or=(a)', 5, 'there is no operator after "a"'],
  ['or=('.padEnd(100, 'or('), 64, 'more than 20 groups'],
  ['order=created_at.desc', 7, '"created_at" is no operator'],
])('%s is wrong at %i', (text, at, message) => {
  let thrown: unknown;
  try {
    sql(text);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(FilterError);
  expect(thrown).toMatchObject({ at, message: expect.stringContaining(message) as string });
});
