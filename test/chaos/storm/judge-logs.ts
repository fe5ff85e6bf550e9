import type { Evidence } from './evidence.ts';

const PERSONAL = /@example\.com|Person \d|Edited \d|Again \d|Profile \d|Customer \d|City \d/;
const STACK = /\bat \S+ \(?(?:file|node):|UnhandledPromise|Error: /;

/** What workers write holds no personal data and no stack, and standard error stays empty. */
export function judgeLogs({ lines, complaints, failures, outages }: Evidence): readonly string[] {
  return [
    ...lines.filter((line) => PERSONAL.test(line)).map((line) => `personal data in a log: ${line}`),
    ...lines.filter((line) => STACK.test(line)).map((line) => `a stack in a log: ${line}`),
    ...lines.filter((line) => line.startsWith('{"failed":')).map((line) => `a worker failed: ${line}`),
    ...failures
      .filter(() => !outages.some(({ what }) => what !== 'full'))
      .map((failure) => `a worker did not begin: ${failure}`),
    ...lines.filter((line) => line.includes('mistake in Rollcall')).map((line) => `a mistake: ${line}`),
    ...(complaints.length === 0 ? [] : [`on standard error: ${complaints.slice(0, 20).join('\n  ')}`]),
  ];
}
