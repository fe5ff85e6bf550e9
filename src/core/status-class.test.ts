import { expect, test } from 'vitest';
import type { OutcomeKind } from './outcome.ts';
import { classOfStatus } from './status-class.ts';

test.each<[OutcomeKind, number[]]>([
  ['delivered', [200, 201, 202, 204, 299]],
  ['config', [300, 301, 302, 307, 308, 401, 402, 403, 407]],
  ['retry', [408, 425, 500, 501, 502, 503, 504, 529, 599]],
  ['throttle', [429]],
  ['reject', [400, 404, 405, 409, 410, 413, 415, 422, 451]],
  ['unknown', [0, 100, 101, 199, 600, -1, Number.NaN, 200.5]],
])('%s: %j', (kind, statuses) => {
  for (const status of statuses) expect(classOfStatus(status), String(status)).toBe(kind);
});
