import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AttributePlan, ContactEvent, Delivery, Operation, RemoteContact } from '../../core/destination.ts';
import { type Json, parseJson, renderJson } from '../../core/json.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { SendryConfig } from './config.ts';
import { sendry } from './index.ts';

interface Fixture {
  readonly name: string;
  readonly config: Record<string, unknown>;
  /** Absent in the cases of an event. */
  readonly delivery?: Pick<Delivery, 'action' | 'address' | 'remote' | 'attributes' | 'consent'> & {
    takeover?: boolean;
  };
  readonly plan?: AttributePlan;
  readonly event?: Pick<ContactEvent, 'name' | 'properties'>;
  readonly remote?: RemoteContact;
  /** `find` where the contact is looked up first. */
  readonly requests: readonly { method: string; url: string; body: Json; find?: string }[];
  readonly responses: readonly { status: number; headers?: Record<string, string>; body: Json }[];
  readonly outcomes: readonly Outcome[];
}

const folder = new URL('fixtures/', import.meta.url);
const fixtures = readdirSync(folder).map(
  (file) => parseJson(readFileSync(new URL(file, folder), 'utf8')) as unknown as Fixture,
);

function encoded({ delivery, plan = {}, event, remote }: Fixture, config: SendryConfig): readonly Operation[] {
  if (delivery !== undefined) {
    const whole: Delivery = { contactId: '1', version: '1', takeover: false, ...delivery };
    return sendry.encode(whole, plan, config);
  }
  const id = '6ab2c6a0-0000-4000-8000-000000000001';
  const whole: ContactEvent = { id, at: '2026-05-06T07:08:09.123456Z', name: '', properties: {}, ...event };
  return [sendry.encodeEvent!(whole, remote ?? { id: null, address: null }, config)];
}

describe('golden cases', () => {
  test.each(fixtures)('$name', (fixture) => {
    const { config: options, requests, responses, outcomes } = fixture;
    const config = sendry.config.parse({ api_key: 'sn_test_1', ...options });
    const operations = encoded(fixture, config);
    const sent = operations.map((operation) => {
      const { method, url, body } = sendry.request([operation], config);
      const request = { method, url, body: body === null ? null : parseJson(body) };
      return operation.find === undefined ? request : { ...request, find: operation.find };
    });
    expect(sent).toEqual(requests);
    const read = operations.flatMap((operation, index) => {
      const { status, headers = {}, body } = responses[index]!;
      const text = typeof body === 'string' ? body : renderJson(body);
      return sendry.interpret({ status, headers, body: text }, [operation]);
    });
    expect(read).toEqual(outcomes);
  });
});
