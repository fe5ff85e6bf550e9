import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AttributePlan, ContactEvent, Delivery, Operation, RemoteContact } from '../../core/destination.ts';
import { type Json, type JsonObject, parseJson, renderJson } from '../../core/json.ts';
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
const files = readdirSync(folder).filter((file) => !file.startsWith('suppressions-'));
const cases = files.map((file) => ({
  isExport: file.startsWith('export-'),
  content: parseJson(readFileSync(new URL(file, folder), 'utf8')) as unknown,
}));
const fixtures = cases.filter((each) => !each.isExport).map(({ content }) => content as Fixture);

/** A request of an export with what becomes of its answers, or the reading of a file. */
interface ExportFixture {
  readonly name: string;
  readonly config: Record<string, unknown>;
  /** The id that is asked for; absent where the export is started. */
  readonly poll?: string;
  readonly request?: { method: string; url: string; body: Json };
  readonly answers?: readonly { status: number; body: Json; read: Json }[];
  readonly file?: {
    readonly plan: AttributePlan;
    readonly header: readonly string[];
    readonly attributes: readonly string[];
    readonly rows: readonly {
      readonly cells: readonly string[];
      readonly read: Json;
      /** What is wanted of the contact, and which of it differs. */
      readonly wanted?: JsonObject;
      readonly differs?: readonly string[];
    }[];
  };
}

const exportFixtures = cases.filter((each) => each.isExport).map(({ content }) => content as ExportFixture);

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

  test.each(exportFixtures)('$name', ({ config: options, poll, request, answers = [], file }) => {
    const config = mailtrap.config.parse({ api_token: 'tok', ...options });
    const plan = mailtrap.exports!;
    const exchange = poll === undefined ? plan.start(config) : plan.poll(poll, config);
    if (request !== undefined) {
      const { method, url, body } = exchange.request;
      expect({ method, url, body: body === null ? null : parseJson(body) }).toEqual(request);
    }
    for (const { status, body, read: expected } of answers) {
      const text = typeof body === 'string' ? body : renderJson(body);
      expect(exchange.interpret({ status, headers: {}, body: text })).toEqual(expected);
    }
    if (file === undefined) return;
    const reader = plan.rows(file.header, file.plan);
    expect(reader.attributes).toEqual(file.attributes);
    for (const { cells, read: expected, wanted, differs = [] } of file.rows) {
      const row = reader.read(cells);
      expect(row ?? null).toEqual(expected);
      if (row !== undefined && wanted !== undefined) {
        expect(plan.differs(wanted, row, file.plan, config)).toEqual(differs);
      }
    }
  });
});

test('an export without a column of addresses is refused, and its columns are named', () => {
  expect(() => mailtrap.exports!.rows(['Name', ' Phone ', ''], {})).toThrow(
    expect.objectContaining({
      code: 'RC_EXPORT_COLUMNS',
      message: "Mailtrap's export has no column of addresses. Its columns: Name, Phone, (no name).",
    }),
  );
});
