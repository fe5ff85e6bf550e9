import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { mailtrap } from './index.ts';

interface Page {
  readonly after?: string;
  readonly request: { readonly method: string; readonly url: string; readonly body: null };
  readonly response: { readonly status: number; readonly body: unknown };
  readonly read: object;
}

const fixture = JSON.parse(readFileSync(new URL('fixtures/suppressions-pages.json', import.meta.url), 'utf8')) as {
  readonly name: string;
  readonly config: object;
  readonly pages: readonly Page[];
};
const plan = mailtrap.suppressions!;
const config = mailtrap.config.parse({ api_token: 'tok' });

test.each(fixture.pages)('the page after $after', ({ after, request, response, read }) => {
  const exchange = plan.page(after, mailtrap.config.parse({ api_token: 'tok', ...fixture.config }));
  expect(exchange.request).toMatchObject(request);
  const answer = { status: response.status, headers: {}, body: JSON.stringify(response.body) };
  expect(exchange.interpret(answer)).toEqual({ ok: true, value: read });
});

test('the account follows from the token where no id is given', () => {
  expect(plan.page(undefined, config).request.url).toBe('https://mailtrap.io/api/suppressions');
});

test('a server that knows no last_id and gives the same page again is asked no more', () => {
  const body = JSON.stringify([{ id: 'x', type: 'unsubscription', email: 'a@x.y' }]);
  const read = plan.page('x', config).interpret({ status: 200, headers: {}, body });
  expect(read).toMatchObject({ ok: true, value: { rows: [{ address: 'a@x.y' }] } });
  expect(read).not.toHaveProperty('value.next');
});

describe('a page that cannot be read', () => {
  test.each([
    [403, '{"errors":"Account access forbidden"}', 'config', 'forbidden'],
    [401, '{"error":"Incorrect API token"}', 'config', 'unauthorized'],
    [429, '{"errors":"Rate limit exceeded"}', 'throttle', 'http_429'],
    [500, '', 'retry', 'http_500'],
    [200, '{}', 'retry', 'malformed_answer'],
  ])('%i %s: %s %s', (status, body, kind, code) => {
    expect(plan.page(undefined, config).interpret({ status, headers: {}, body })).toMatchObject({
      ok: false,
      outcome: { kind, code },
    });
  });
});
