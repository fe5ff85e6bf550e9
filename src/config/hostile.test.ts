import { assert, constantFrom, json, oneof, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { connector, failure, mapping, mistakes, parse } from '../../test/support/config-text.ts';
import { ConfigErrors } from './config-errors.ts';
import { explainConfigErrors } from './explain.ts';

/** So many values that are tried; more for a longer look by hand. */
const RUNS = Number(process.env['ROLLCALL_FUZZ_RUNS'] ?? 200);

/** Nine lists, each of nine aliases of the one before: 9^9 values. */
function bomb(): string {
  const lines = ['x0: &x0 [1, 1, 1, 1, 1, 1, 1, 1, 1]'];
  for (let level = 1; level < 9; level += 1) {
    lines.push(`x${level}: &x${level} [${Array.from({ length: 9 }, () => `*x${level - 1}`).join(', ')}]`);
  }
  return `${lines.join('\n')}\n`;
}

describe('files that are no config', () => {
  test.each([
    ['nothing', '', ['1:1 RC_CONFIG_EMPTY']],
    ['comments only', '# a\n\n# b\n', ['1:1 RC_CONFIG_EMPTY']],
    ['null', '~', ['1:1 RC_CONFIG_EMPTY']],
    ['a byte order mark only', '\uFEFF', ['1:1 RC_CONFIG_EMPTY']],
    ['a list', '- connectors', ['1:1 RC_CONFIG_TYPE']],
    ['a word', 'connectors', ['1:1 RC_CONFIG_TYPE']],
    ['a number', '42', ['1:1 RC_CONFIG_TYPE']],
    ['two documents', 'consent: nobody\n---\nconsent: nobody\n', ['2:1 RC_CONFIG_YAML']],
    ['a tab', 'connectors:\n\tsupabase: {}\n', ['2:1 RC_CONFIG_YAML']],
    ['an open quote', 'environment: "x\nconsent: nobody\n', ['3:1 RC_CONFIG_YAML']],
    ['an open bracket', 'environment: [x\n', ['2:1 RC_CONFIG_YAML']],
    ['a ragged map', 'sweep:\n  every: 1h\n x: 1\n', ['3:1 RC_CONFIG_YAML']],
    ['a value with a colon', 'environment: a: b', ['1:14 RC_CONFIG_YAML']],
    ['a tag', 'environment: !!js/function "x"', ['1:14 RC_CONFIG_YAML']],
    ['an alias of nothing', 'environment: *x', ['1:14 RC_CONFIG_YAML']],
    ['a map as a key', '? {a: b}\n: c', ['1:3 RC_CONFIG_YAML']],
    ['a merge key', 'sweep: {<<: {every: 1h}}', ['1:9 RC_CONFIG_UNKNOWN_KEY']],
    ['a NUL', 'environment: "a\\0b"', ['1:14 RC_CONFIG_TEXT']],
    ['half a character', mapping('phone: "\\uD83D"'), ['4:14 RC_CONFIG_TEXT']],
    ['YAML 1.1 binary', '%YAML 1.1\n---\nenvironment: !!binary aGk=\n', ['3:14 RC_CONFIG_YAML']],
  ])('%s', (_, text, are) => expect(mistakes(text)).toEqual(are));

  test('a name of an object’s prototype is refused, and taints nothing', () => {
    const text = `__proto__: {polluted: 1}\nconstructor: 1\n${mapping('__proto__: X', 'phone: {to: SMS, transform: {map: {__proto__: {polluted: 1}, a: b}}}')}`;
    expect(mistakes(text)).toEqual([
      '1:1 RC_CONFIG_UNKNOWN_KEY',
      '2:1 RC_CONFIG_UNKNOWN_KEY',
      '6:7 RC_CONFIG_UNKNOWN_KEY',
      '7:42 RC_CONFIG_UNKNOWN_KEY',
    ]);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    const options = 'consent: nobody\ndestinations: {postbox: {token: "12345678", headers: {__proto__: x}}}';
    expect(mistakes(options)).toEqual(['2:55 RC_CONFIG_UNKNOWN_KEY']);
  });

  test('names an object inherits may be attributes and destinations like any other', () => {
    const { userMapping } = parse(mapping('user_metadata.constructor: toString', 'attributes: {valueOf: {const: 1}}'));
    expect(userMapping.attributes.map((attribute) => attribute.name)).toEqual(['toString', 'valueOf']);
    const tables = parse(
      'table_mapping: {constructor: {toString: valueOf}, hasOwnProperty: {sync_as: events, event_name: valueOf}}',
    );
    expect(tables.tables).toMatchObject([{ table: { table: 'constructor' }, attributes: [{ name: 'valueOf' }] }]);
    expect(tables.eventTables).toMatchObject([{ table: { table: 'hasOwnProperty' }, name: 'valueOf' }]);
    expect(mistakes(connector('events: {constructor: true, toString: x}'))).toEqual([
      '3:14 RC_CONFIG_EVENT_UNKNOWN',
      '3:33 RC_CONFIG_EVENT_UNKNOWN',
    ]);
    expect(mistakes('table_mapping: {a: {contact: {constructor: b}}}')).toEqual(['1:31 RC_CONFIG_CONTACT']);
    expect(mistakes('consent: nobody\ndestinations: {constructor: {token: "12345678"}}')).toEqual([
      '2:16 RC_CONFIG_DESTINATION',
    ]);
  });
});

describe('unusual but right', () => {
  test('a byte order mark and windows line ends move no place', () => {
    const text = `\uFEFF${mapping('phone: SMS', 'role: {to: ROLE, typ: text}')}`.replaceAll('\n', '\r\n');
    expect(mistakes(text)).toEqual(['5:24 RC_CONFIG_UNKNOWN_KEY']);
    expect(mistakes('\uFEFFconsnt: nobody')).toEqual(['1:1 RC_CONFIG_UNKNOWN_KEY']);
  });

  test('quotes and emoji in keys and names', () => {
    const { userMapping } = parse(mapping(`'user_metadata.o''neil "x"': "🙂 NAME"`, "\"user_metadata.🙂\": 'it''s'"));
    expect(userMapping.attributes.map(({ name, source }) => [name, source])).toEqual([
      ['🙂 NAME', { kind: 'column', path: ['user_metadata', `o'neil "x"`] }],
      ["it's", { kind: 'column', path: ['user_metadata', '🙂'] }],
    ]);
    expect(mistakes(mapping('"user_metadata.🙂": {to: A, x: 1}'))).toEqual(['4:35 RC_CONFIG_UNKNOWN_KEY']);
  });

  test('tables and columns of any name', () => {
    const text = `table_mapping:\n  "Order Items": {"Full Name": A, "O'Neil \\"x\\"": B, 🙂: C, "a\\\\.b.c": D}\n  'My.Tab"le': {"": X}\n`;
    expect(mistakes(text)).toEqual(['3:17 RC_CONFIG_YAML']);
    const { tables } = parse(text.replace('"": X', 'x: X'));
    expect(tables.map(({ table }) => table)).toEqual([
      { schema: 'public', table: 'Order Items' },
      { schema: 'My', table: 'Tab"le' },
    ]);
    expect(tables[0]?.attributes.map(({ source }) => source.kind === 'column' && source.path)).toEqual([
      ['Full Name'],
      [`O'Neil "x"`],
      ['🙂'],
      ['a.b', 'c'],
    ]);
  });

  test('flow style and JSON', () => {
    const config = parse('{"connectors": {"supabase": {"user_mapping": {"phone": "SMS"}}}, "consent": "nobody"}');
    expect(config).toMatchObject({ consent: { kind: 'nobody' }, userMapping: { attributes: [{ name: 'SMS' }] } });
  });
});

describe('files that want too much', () => {
  const limit = 128 * 1024;

  test('one MB is refused at once', () => {
    const text = `environment: ${'x'.repeat(1_000_000)}`;
    expect(mistakes(text)).toEqual(['1:1 RC_CONFIG_TOO_LARGE']);
    expect(explainConfigErrors(failure(text)).length).toBeLessThan(1_000);
  });

  test.each([
    ['deep lists', '['.repeat(limit)],
    ['deep maps', '{a: '.repeat(limit / 4)],
    ['deep blocks', '- '.repeat(limit / 2)],
    ['deep keys', '? '.repeat(limit / 2)],
    ['deep and closed', `a: ${'['.repeat(200)}${']'.repeat(200)}`],
    ['many quotes', '"'.repeat(limit)],
    ['many anchors', '&a '.repeat(limit / 3)],
    ['many aliases', `a: &a 1\nb: [${'*a, '.repeat(60_000)}]`],
    ['an alias of itself', 'a: &a [*a, *a]'],
    ['many unknown keys', Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join('\n')],
    ['one key many times', 'a: 1\n'.repeat(20_000)],
    ['one long word', `${'x'.repeat(limit - 10)}: 1`],
    ['many tables', `table_mapping:\n${Array.from({ length: 6_000 }, (_, index) => `  t${index}: {a}\n`).join('')}`],
    ['a table under many names', `connectors: {supabase: {sync: {tables: [${'public.a, '.repeat(12_000)}]}}}`],
    ['many dots', `table_mapping: {"${'a.'.repeat(limit / 4)}": {"${'.'.repeat(limit / 4)}": X}}`],
    [
      'many links',
      `table_mapping: {a: {contact: {${Array.from({ length: 9_000 }, (_, i) => `t${i}: x`).join(', ')}}}}`,
    ],
    ['a nesting bomb of aliases', bomb()],
  ])('%s end in a few mistakes, quickly', (_, text) => {
    const start = performance.now();
    const error = failure(text);
    expect(explainConfigErrors(error).length).toBeLessThan(20_000);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test('aliases are counted, those inside aliases too', () => {
    expect(failure(bomb()).errors[0]).toMatchObject({
      code: 'RC_CONFIG_YAML',
      message: expect.stringContaining('more than 100 aliases'),
    });
  });
});

test('whatever stands in a value, parsing ends in a config or in mistakes with places', () => {
  const slots = [
    (value: string) => connector(`enabled: ${value}`),
    (value: string) => connector(`sync: ${value}`),
    (value: string) => mapping(`phone: ${value}`),
    (value: string) => mapping(`${value}: X`),
    (value: string) => mapping(`attributes: ${value}`),
    (value: string) => connector(`events: ${value}`),
    (value: string) => connector(`events: {user.signed_in: ${value}}`),
    (value: string) => connector(`events: {storage.object.created: {properties: ${value}}}`),
    (value: string) => mapping(`attributes: {A: {sql: x, from: ${value}}}`),
    (value: string) => `table_mapping: ${value}`,
    (value: string) => `table_mapping: {a: ${value}}`,
    (value: string) => `table_mapping: {a: {${value}: B}}`,
    (value: string) => `table_mapping: {a: {contact: ${value}}}`,
    (value: string) => `table_mapping: {a: {attributes: {B: ${value}}}}`,
    (value: string) => `table_mapping: {a: {base_tables: ${value}, every: ${value}, where: ${value}}}`,
    (value: string) => `table_mapping: {a: {sync_as: events, event_name: x, properties: ${value}}}`,
    (value: string) => `table_mapping: {a: {sync_as: events, event_name: ${value}, operations: ${value}}}`,
    (value: string) => `table_mapping: {a: {b: C}}\nconsent: {column: a.${value}}`,
    (value: string) => `delivery: ${value}`,
    (value: string) => `delivery: {retry: ${value}}`,
    (value: string) => `delivery: {retry: {factor: ${value}, window: ${value}}}`,
    (value: string) => `consent: ${value}`,
    (value: string) => `consent: nobody\ndestinations: {postbox: ${value}}`,
    (value: string) => value,
  ];
  const values = oneof(json({ maxDepth: 4 }), string({ unit: 'binary' }), string());
  assert(
    property(constantFrom(...slots), values, (slot, value) => {
      try {
        parse(slot(value));
      } catch (error) {
        if (!(error instanceof ConfigErrors)) throw error;
        expect(error.errors.length).toBeGreaterThan(0);
        for (const { place } of error.errors) {
          expect(place?.line).toBeGreaterThan(0);
          expect(place?.column).toBeGreaterThan(0);
        }
        explainConfigErrors(error);
      }
    }),
    { numRuns: RUNS },
  );
});
