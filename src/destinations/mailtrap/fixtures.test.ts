import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AttributePlan, Delivery } from '../../core/destination.ts';
import { type Json, parseJson, renderJson } from '../../core/json.ts';
import type { Outcome } from '../../core/outcome.ts';
import { mailtrap } from './index.ts';

interface Fixture {
  readonly name: string;
  readonly config: Record<string, unknown>;
  readonly delivery: Pick<Delivery, 'action' | 'address' | 'remote' | 'attributes' | 'consent'> & {
    takeover?: boolean;
  };
  readonly plan: AttributePlan;
  readonly requests: readonly { method: string; url: string; body: Json }[];
  readonly responses: readonly { status: number; headers?: Record<string, string>; body: Json }[];
  readonly outcomes: readonly Outcome[];
}

const folder = new URL('fixtures/', import.meta.url);
const fixtures = readdirSync(folder).map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Fixture);

describe('golden cases', () => {
  test.each(fixtures)('$name', ({ config: options, delivery, plan, requests, responses, outcomes }) => {
    const config = mailtrap.config.parse({ api_token: 'tok', ...options });
    const whole: Delivery = { contactId: '1', version: '1', takeover: false, ...delivery };
    const operations = mailtrap.encode(whole, plan, config);
    const sent = operations.map((operation) => mailtrap.request([operation], config));
    expect(
      sent.map(({ method, url, body }) => ({ method, url, body: body === null ? null : parseJson(body) })),
    ).toEqual(requests);
    const read = operations.flatMap((operation, index) => {
      const { status, headers = {}, body } = responses[index]!;
      const text = typeof body === 'string' ? body : renderJson(body);
      return mailtrap.interpret({ status, headers, body: text }, [operation]);
    });
    expect(read).toEqual(outcomes);
  });
});
