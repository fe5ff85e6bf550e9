import { trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, expect, test } from 'vitest';
import type { Observation } from '../engine/observer.ts';
import { createSpans } from './spans.ts';

afterEach(() => trace.disable());

const SEEN: readonly Observation[] = [
  { what: 'fold', result: { busy: false, taken: 3, changed: 2, failed: 0, more: false }, at: 1_000, ms: 4 },
  { what: 'fold', result: { busy: false, taken: 0, changed: 0, failed: 0, more: false }, at: 1_000, ms: 4 },
  { what: 'claim', destination: 'mailtrap', contacts: 2, at: 1_010, ms: 1 },
  { what: 'sending', destination: 'mailtrap' },
  { what: 'send', destination: 'mailtrap', status: 500, code: undefined, at: 1_020, ms: 30 },
  { what: 'send', destination: 'mailtrap', status: undefined, code: 'deadline for ann@example.com', at: 1_020, ms: 30 },
  {
    what: 'settle',
    destination: 'mailtrap',
    tallies: [
      { of: 'contact', outcome: 'delivered', code: '', count: 2 },
      { of: 'contact', outcome: 'retry', code: 'http_500', count: 1 },
      { of: 'contact', outcome: 'retry', code: 'http_502', count: 1 },
    ],
    at: 1_050,
    ms: 2,
  },
  { what: 'job', destination: 'mailtrap', outcome: 'delivered', code: '', at: 1_100, ms: 900 },
  { what: 'trouble', during: 'claim', code: '57P01', at: 1_200, ms: 5 },
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
    ['rollcall.fold', 1_000, 1_004, 0, { taken: 3, changed: 2, rows_failed: 0 }],
    ['rollcall.claim', 1_010, 1_011, 0, { destination: 'mailtrap', contacts: 2 }],
    ['rollcall.send', 1_020, 1_050, 2, { destination: 'mailtrap', 'http.response.status_code': 500 }],
    ['rollcall.send', 1_020, 1_050, 2, { destination: 'mailtrap', code: 'other' }],
    ['rollcall.settle', 1_050, 1_052, 0, { destination: 'mailtrap', 'contacts.delivered': 2, 'contacts.retry': 2 }],
    ['rollcall.job', 1_100, 2_000, 0, { destination: 'mailtrap', outcome: 'delivered', code: '' }],
    ['rollcall.claim', 1_200, 1_205, 2, { code: '57P01' }],
  ]);
});

test('without an SDK nothing happens', () => {
  const observe = createSpans();
  expect(() => SEEN.forEach((each) => observe(each))).not.toThrow();
});
