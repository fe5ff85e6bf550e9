import { trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, expect, test } from 'vitest';
import type { Observation } from '../engine/observer.ts';
import { createSpans } from './spans.ts';

afterEach(() => trace.disable());

// Not of 1970: the SDK takes what is less than the age of the process for a time since it began.
const T = Date.UTC(2026, 4, 6);

const SEEN: readonly Observation[] = [
  { what: 'fold', result: { busy: false, taken: 3, changed: 2, failed: 0, more: false }, at: T + 1_000, ms: 4 },
  { what: 'fold', result: { busy: false, taken: 0, changed: 0, failed: 0, more: false }, at: T + 1_000, ms: 4 },
  { what: 'claim', destination: 'mailtrap', contacts: 2, at: T + 1_010, ms: 1 },
  { what: 'sending', destination: 'mailtrap' },
  { what: 'send', destination: 'mailtrap', status: 500, code: undefined, at: T + 1_020, ms: 30 },
  {
    what: 'send',
    destination: 'mailtrap',
    status: undefined,
    code: 'deadline for ann@example.com',
    at: T + 1_020,
    ms: 30,
  },
  {
    what: 'settle',
    destination: 'mailtrap',
    tallies: [
      { of: 'contact', outcome: 'delivered', code: '', count: 2 },
      { of: 'contact', outcome: 'retry', code: 'http_500', count: 1 },
      { of: 'contact', outcome: 'retry', code: 'http_502', count: 1 },
    ],
    at: T + 1_050,
    ms: 2,
  },
  { what: 'job', destination: 'mailtrap', outcome: 'delivered', code: '', at: T + 1_100, ms: 900 },
  { what: 'trouble', during: 'claim', code: '57P01', at: T + 1_200, ms: 5 },
];

test('spans of what was done, with their times and without anybody in them', () => {
  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  const observe = createSpans();
  for (const each of SEEN) observe(each);
  const ms = ([seconds, nanos]: readonly [number, number]): number => seconds * 1_000 + nanos / 1_000_000;
  const found = exporter
    .getFinishedSpans()
    .map((span) => [span.name, ms(span.startTime), ms(span.endTime), span.status.code, span.attributes]);
  expect(found).toEqual([
    ['rollcall.fold', T + 1_000, T + 1_004, 0, { taken: 3, changed: 2, rows_failed: 0 }],
    ['rollcall.claim', T + 1_010, T + 1_011, 0, { destination: 'mailtrap', contacts: 2 }],
    ['rollcall.send', T + 1_020, T + 1_050, 2, { destination: 'mailtrap', 'http.response.status_code': 500 }],
    ['rollcall.send', T + 1_020, T + 1_050, 2, { destination: 'mailtrap', code: 'other' }],
    [
      'rollcall.settle',
      T + 1_050,
      T + 1_052,
      0,
      { destination: 'mailtrap', 'contacts.delivered': 2, 'contacts.retry': 2 },
    ],
    ['rollcall.job', T + 1_100, T + 2_000, 0, { destination: 'mailtrap', outcome: 'delivered', code: '' }],
    ['rollcall.claim', T + 1_200, T + 1_205, 2, { code: '57P01' }],
  ]);
});

test('without an SDK nothing happens', () => {
  const observe = createSpans();
  expect(() => SEEN.forEach((each) => observe(each))).not.toThrow();
});
