import { expect, test } from 'vitest';
import type { Gauges } from '../core/gauges.ts';
import { createMetrics } from './metrics.ts';

const away = (): Promise<Gauges> => Promise.reject(new Error('the database is away'));

test('however many codes there are, a destination has few; words of people are none', async () => {
  const metrics = createMetrics(away);
  for (let n = 0; n < 500; n += 1) {
    const tallies = [
      { of: 'contact', outcome: 'reject', code: n % 2 ? `code_${n}` : `${n}@example.com`, count: 1 },
    ] as const;
    metrics.observe({ what: 'settle', destination: 'mailtrap', tallies, at: 0, ms: 1 });
  }
  const text = await metrics.text();
  const series = text.split('\n').filter((line) => line.startsWith('rollcall_outcomes_total{'));
  expect(series).toHaveLength(51);
  expect(series.at(0)).toMatch(/code="other"} 450$/);
  expect(text).not.toContain('@');
});

test('every metric has a help text, a type and a name of the right form, once', async () => {
  const text = await createMetrics(away).text();
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type]) => [name, type] as const);
  expect(types.length).toBeGreaterThan(15);
  expect(new Set(types.map(([name]) => name)).size).toBe(types.length);
  for (const [name, type] of types) {
    expect(name).toMatch(/^(?:rollcall|process|nodejs)_[a-z_]+$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(text).toContain(`# HELP ${name} `);
  }
  expect(text).toContain('\nrollcall_database_up 0\n');
});

test('a limit, a job, a sweep and a pause are counted', async () => {
  const metrics = createMetrics(away);
  metrics.observe({ what: 'limit', destination: 'a', buckets: ['contacts', 'all'], waitMs: 250 });
  metrics.observe({ what: 'hold', destination: 'a', waitMs: 1_000 });
  metrics.observe({ what: 'job', destination: 'a', outcome: 'delivered', code: '', at: 0, ms: 2_000 });
  metrics.observe({ what: 'pause', destination: 'a', code: 'unauthorized' });
  metrics.observe({ what: 'claim', destination: 'a', contacts: 7, at: 0, ms: 1 });
  metrics.observe({ what: 'trouble', during: 'fold', code: '57P01', at: 0, ms: 1 });
  const found = { missing: 1, returned: 0, stale: 2, gone: 0 };
  const report = { seconds: 1, scanned: 9, found, failed: 0, why: [], unwatched: [], paused: [] };
  metrics.observe({ what: 'sweep', report });
  const text = await metrics.text();
  for (const line of [
    'rollcall_limiter_waits_total{destination="a",bucket="contacts"} 1',
    'rollcall_limiter_waits_total{destination="a",bucket="all"} 1',
    'rollcall_limiter_wait_seconds_total{destination="a"} 0.25',
    'rollcall_throttled_total{destination="a"} 1',
    'rollcall_job_seconds_count{destination="a",outcome="delivered"} 1',
    'rollcall_pauses_total{destination="a",code="unauthorized"} 1',
    'rollcall_claimed_total{destination="a"} 7',
    'rollcall_store_errors_total{during="fold",code="57P01"} 1',
    'rollcall_sweeps_total 1',
    'rollcall_sweep_found_total{what="stale"} 2',
  ])
    expect(text.split('\n')).toContain(line);
});
