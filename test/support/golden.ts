import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type {
  AttributePlan,
  ContactEvent,
  Delivery,
  Destination,
  Operation,
  RemoteContact,
} from '../../src/core/destination.ts';
import { type Json, parseJson, renderJson } from '../../src/core/json.ts';
import type { Outcome } from '../../src/core/outcome.ts';

/** A delivery, or events, with what is sent for it, what is answered, and what becomes of it. */
interface GoldenCase {
  readonly name: string;
  readonly config: Record<string, unknown>;
  /** Absent in the cases of events. */
  readonly delivery?: Pick<Delivery, 'action' | 'address' | 'remote' | 'attributes' | 'consent'> & {
    takeover?: boolean;
  };
  readonly plan?: AttributePlan;
  readonly event?: Pick<ContactEvent, 'name' | 'properties'>;
  /** Events of one contact. Those that share a key are sent together. */
  readonly events?: readonly Pick<ContactEvent, 'name' | 'properties'>[];
  readonly remote?: RemoteContact;
  /** `find` where the contact is looked up first. */
  readonly requests: readonly { method: string; url: string; body: Json; find?: string }[];
  readonly responses: readonly { status: number; headers?: Record<string, string>; body: Json }[];
  readonly outcomes: readonly Outcome[];
}

/** Of the first event of a case; the next counts on. */
const EVENT_ID = '6ab2c6a0-0000-4000-8000-00000000000';
/** When every event of a case happened. */
const AT = '2026-05-06T07:08:09.123456Z';

function encoded<Config>(
  { delivery, plan = {}, event, events = event === undefined ? [] : [event], remote }: GoldenCase,
  destination: Destination<Config>,
  config: Config,
): readonly Operation[] {
  if (delivery !== undefined) {
    return destination.encode({ contactId: '1', version: '1', takeover: false, ...delivery }, plan, config);
  }
  const whom = remote ?? { id: null, address: null };
  return events.map((each, n) =>
    destination.encodeEvent!({ id: `${EVENT_ID}${n + 1}`, at: AT, ...each }, whom, config),
  );
}

/** As the engine does it: what is refused is not sent, what shares a key is sent together. */
function batchesOf(operations: readonly Operation[]): Operation[][] {
  const batches: Operation[][] = [];
  for (const operation of operations) {
    const last = batches.at(-1);
    const shares = operation.batchKey !== null && operation.batchKey === last?.[0]?.batchKey;
    if (shares && operation.refused === undefined && last?.[0]?.refused === undefined) last?.push(operation);
    else batches.push([operation]);
  }
  return batches;
}

/**
 * Runs the golden cases of a destination, one test each.
 * @param folder with the cases as JSON files, those of reading (`export-*.json`, `suppressions-*.json`) left out
 * @param options what every case has in its config
 */
export function testGoldenCases<Config>(
  destination: Destination<Config>,
  folder: URL,
  options: Record<string, unknown>,
): void {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json') && !/^(?:export|suppressions)-/.test(file));
  const cases = files.map((file) => parseJson(readFileSync(new URL(file, folder), 'utf8')) as unknown as GoldenCase);
  test.each(cases)('$name', (golden) => {
    const config = destination.config.parse({ ...options, ...golden.config });
    const batches = batchesOf(encoded(golden, destination, config));
    const sent = batches.filter(([first]) => first?.refused === undefined);
    const requests = sent.map((batch) => {
      const { method, url, body } = destination.request(batch, config);
      const request = { method, url, body: body === null ? null : parseJson(body) };
      const find = batch[0]?.find;
      return find === undefined ? request : { ...request, find };
    });
    expect(requests).toEqual(golden.requests);
    const answers = [...golden.responses];
    const outcomes = batches.flatMap((batch) => {
      const refused = batch[0]?.refused;
      if (refused !== undefined) return [refused];
      const { status, headers = {}, body } = answers.shift()!;
      const text = typeof body === 'string' ? body : body === null ? '' : renderJson(body);
      return destination.interpret({ status, headers, body: text }, batch);
    });
    expect(outcomes).toEqual(golden.outcomes);
  });
}
