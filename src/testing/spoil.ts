import type { HttpResponse } from '../core/destination.ts';
import { isJsonObject, type Json, parseJson, renderJson } from '../core/json.ts';

export const HTML = '<html><head><title>502</title></head><body><h1>Bad Gateway</h1></body></html>';
const MANY = 1_000_000;

/** Bodies that no vendor documents. */
export const BODIES: readonly string[] = [
  '',
  ' ',
  '{',
  '{"data":{"id":',
  HTML,
  'null',
  'true',
  '7',
  '"ok"',
  '[]',
  '{}',
  '[null]',
  '[[]]',
  '{"id":null}',
  '{"id":{}}',
  '{"id":""}',
  '{"data":null}',
  '{"data":[]}',
  '{"data":"x"}',
  '{"errors":null}',
  '{"errors":[[["x"]]]}',
  '{"errors":{"email":7}}',
  '{"error":{"code":7,"message":{}}}',
  '{"message":null,"code":[]}',
  '{"__proto__":{"id":"1"}}',
  '\uFEFF{}',
  '\u0000',
  '1e999',
  '9007199254740993',
  'x'.repeat(MANY),
  `{"message":"${'x'.repeat(MANY)}"}`,
  '['.repeat(50_000),
  `${'{"errors":'.repeat(2_000)}1${'}'.repeat(2_000)}`,
];

const OTHER: readonly Json[] = [null, true, -1, 1.5, '', 'text', [], {}, [null], { id: null }];

/** A real answer with one thing in it turned into another, or cut. @param random in [0, 1) */
export function spoilt(response: HttpResponse, random: () => number): HttpResponse {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const json = parsed(response.body);
  if (json === undefined || random() < 0.1) {
    return { ...response, body: response.body.slice(0, Math.floor(random() * response.body.length)) };
  }
  return { ...response, body: renderJson(turned(json, pick, random)) };
}

function parsed(body: string): Json | undefined {
  try {
    return parseJson(body);
  } catch {
    return undefined;
  }
}

function turned(value: Json, pick: <Item>(items: readonly Item[]) => Item, random: () => number): Json {
  if (random() < 0.3) return pick(OTHER);
  if (Array.isArray(value)) {
    return value.length === 0
      ? [pick(OTHER)]
      : value.map((each: Json) => (random() < 0.5 ? turned(each, pick, random) : each));
  }
  if (!isJsonObject(value)) return pick(OTHER);
  const entries = Object.entries(value);
  if (entries.length === 0) return pick(OTHER);
  const [chosen] = pick(entries);
  if (random() < 0.3) return Object.fromEntries(entries.filter(([key]) => key !== chosen));
  return Object.fromEntries(entries.map(([key, each]) => [key, key === chosen ? turned(each, pick, random) : each]));
}
