import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AttributePlan, ContactEvent, Delivery, Operation, RemoteContact } from '../../core/destination.ts';
import { type Json, parseJson, renderJson } from '../../core/json.ts';
import type { Outcome } from '../../core/outcome.ts';
import { webhook } from './index.ts';
import { readMessage } from './sandbox/message.ts';

interface Fixture {
  readonly name: string;
  readonly plan?: AttributePlan;
  readonly delivery?: Delivery;
  readonly event?: ContactEvent;
  readonly remote?: RemoteContact;
  readonly requests: readonly { readonly id: string; readonly body: Json }[];
  readonly responses: readonly {
    readonly status: number;
    readonly headers?: Record<string, string>;
    readonly body: Json;
  }[];
  readonly outcomes: readonly Outcome[];
}

const folder = new URL('fixtures/', import.meta.url);
const fixtures = readdirSync(folder).map(
  (file) => parseJson(readFileSync(new URL(file, folder), 'utf8')) as unknown as Fixture,
);
const config = webhook.config.parse({ url: 'https://x.example/hook', secret: `whsec_${btoa('a'.repeat(32))}` });

function operationsOf({ delivery, plan = {}, event, remote }: Fixture): readonly Operation[] {
  if (delivery !== undefined)
    return webhook.encode({ ...delivery, takeover: delivery.takeover ?? false }, plan, config);
  return event === undefined ? [] : [webhook.encodeEvent!(event, remote ?? { id: null, address: null }, config)];
}

describe.each(fixtures.map((fixture) => [fixture.name, fixture] as const))('%s', (_, fixture) => {
  const operations = operationsOf(fixture);

  test('what is sent', () => {
    const sent = operations.map((operation) => webhook.request([operation], config));
    expect(sent.map(({ headers, body }) => ({ id: headers['webhook-id'], body: parseJson(body ?? '') }))).toEqual(
      fixture.requests,
    );
    // A receiver that does what README.md says can read it.
    for (const { body } of sent) expect(readMessage(parseJson(body ?? ''))).toBeDefined();
  });

  test('what the answer means', () => {
    const outcomes = fixture.responses.map(({ status, headers = {}, body }, n) => {
      const response = { status, headers, body: typeof body === 'string' ? body : renderJson(body) };
      return webhook.interpret(response, operations.slice(n, n + 1))[0];
    });
    expect(outcomes).toEqual(fixture.outcomes);
  });
});
