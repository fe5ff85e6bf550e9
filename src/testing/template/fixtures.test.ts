import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AttributePlan, Delivery } from '../../core/destination.ts';
import { type Json, type JsonObject, parseJson, renderJson } from '../../core/json.ts';
import type { Outcome } from '../../core/outcome.ts';
import destination from './index.ts';

/** What is sent for one delivery, and what the vendor's answers mean. */
interface Fixture {
  readonly name: string;
  readonly config: JsonObject;
  readonly delivery: Pick<Delivery, 'action' | 'address' | 'remote' | 'attributes' | 'consent' | 'takeover'>;
  readonly plan: AttributePlan;
  readonly requests: readonly { readonly method: string; readonly url: string; readonly body: Json }[];
  readonly responses: readonly { readonly status: number; readonly body: Json }[];
  readonly outcomes: readonly Outcome[];
}

const folder = new URL('fixtures/', import.meta.url);
const fixtures = readdirSync(folder).map(
  (file) => parseJson(readFileSync(new URL(file, folder), 'utf8')) as unknown as Fixture,
);

describe.each(fixtures)('$name', ({ config, delivery, plan, requests, responses, outcomes }) => {
  const options = destination.config.parse({ api_key: 'key', ...config });
  const operations = destination.encode({ contactId: '1', version: '1', ...delivery }, plan, options);

  test('is sent so', () => {
    const sent = operations.map((operation) => destination.request([operation], options));
    const read = sent.map(({ method, url, body }) => ({ method, url, body: body === null ? null : parseJson(body) }));
    expect(read).toEqual(requests);
  });

  test('is answered so', () => {
    const read = operations.flatMap((operation, n) => {
      const { status = 0, body = null } = responses[n] ?? {};
      return destination.interpret({ status, headers: {}, body: renderJson(body) }, [operation]);
    });
    expect(read).toEqual(outcomes);
  });
});
