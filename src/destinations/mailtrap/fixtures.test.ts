import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { testGoldenCases } from '../../../test/support/golden.ts';
import type { AttributePlan } from '../../core/destination.ts';
import { type Json, type JsonObject, parseJson, renderJson } from '../../core/json.ts';
import { mailtrap } from './index.ts';

const folder = new URL('fixtures/', import.meta.url);
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

const exportFixtures = readdirSync(folder)
  .filter((file) => file.startsWith('export-'))
  .map((file) => parseJson(readFileSync(new URL(file, folder), 'utf8')) as unknown as ExportFixture);

describe('golden cases', () => {
  testGoldenCases(mailtrap, folder, { api_token: 'tok' });

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
