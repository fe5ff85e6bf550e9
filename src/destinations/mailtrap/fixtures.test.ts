import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AttributePlan, ContactEvent, Delivery, Operation, RemoteContact } from '../../core/destination.ts';
import { type Json, parseJson, renderJson } from '../../core/json.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { MailtrapConfig } from './config.ts';
import { mailtrap } from './index.ts';

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
  readonly requests: readonly { method: string; url: string; body: Json }[];
  readonly responses: readonly { status: number; headers?: Record<string, string>; body: Json }[];
  readonly outcomes: readonly Outcome[];
}

const folder = new URL('fixtures/', import.meta.url);
const fixtures = readdirSync(folder).map((file) => {
  const text = readFileSync(new URL(file, folder), 'utf8');
  return parseJson(text) as unknown as Fixture;
});

function encoded({ delivery, plan = {}, event, remote }: Fixture, config: MailtrapConfig): readonly Operation[] {
  if (delivery !== undefined) {
    const whole: Delivery = { contactId: '1', version: '1', takeover: false, ...delivery };
    return mailtrap.encode(whole, plan, config);
  }
  const whole: ContactEvent = { id: '1', at: '2026-05-06T07:08:09.123456Z', name: '', properties: {}, ...event };
  return [mailtrap.encodeEvent!(whole, remote ?? { id: null, address: null }, config)];
}

describe('golden cases', () => {
  test.each(fixtures)('$name', (fixture) => {
    const { config: options, requests, responses, outcomes } = fixture;
    const config = mailtrap.config.parse({ api_token: 'tok', ...options });
    const operations = encoded(fixture, config);
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
