import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type KeptLine, keptText, readKept } from './kept.ts';

const hash = fc.stringMatching(/^[0-9a-f]{64}$/);
const form = hash.map((hex) => `#${hex}`);
const at = fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }).map((date) => date.toISOString());
const line: fc.Arbitrary<KeptLine> = fc.oneof(
  fc.record({ tombstone: hash, at }),
  fc.record(
    {
      fact: form,
      kind: fc.constantFrom('opt_out', 'complaint', 'bounce'),
      address: form,
      person: form,
      topic: fc.string(),
      origin: fc.string(),
      at,
      received_at: at,
    },
    { requiredKeys: ['fact', 'kind', 'address', 'origin', 'received_at'] },
  ),
);
const kept = fc.record({ check: hash, lines: fc.array(line, { maxLength: 20 }) });

test('what is written is read back as it was', () => {
  fc.assert(
    fc.property(kept, (all) => {
      expect(readKept(keptText(all))).toEqual(all);
    }),
  );
});

test('any part of it is told from all of it', () => {
  fc.assert(
    fc.property(kept, fc.nat(), (all, cut) => {
      const text = keptText(all);
      const part = text.slice(0, cut % (text.length - 1));
      expect(readKept(part)).toHaveProperty('problem');
    }),
  );
});

test.each([
  ['', 'no file that Rollcall has kept'],
  ['[]\n', 'no file that Rollcall has kept'],
  ['{"rollcall":"kept","version":2}\n{"end":0}', 'version 2'],
  [`{"rollcall":"kept","version":1,"check":"zz"}\n{"end":0}`, 'first line'],
  [`{"rollcall":"kept","version":1,"check":"${'a'.repeat(64)}"}\n{"fact":"ann@x.y"}\n{"end":1}`, 'line 2'],
  ['{', 'line 1'],
])('%j is no kept file: %s', (text, why) => {
  expect(readKept(text)).toMatchObject({ problem: expect.stringContaining(why) });
});
