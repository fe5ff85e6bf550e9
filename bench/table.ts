/** One measured figure. */
export interface Measured {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The first target on a machine of two cores, where there is one. */
  readonly target?: number | undefined;
  /** Value over target for rates, target over value for times: 1 or more is met. */
  readonly toTarget?: number | undefined;
  /** Value over the baseline of the same run. */
  readonly toBaseline?: number | undefined;
  /** A promise of SPEC.md, not an aim: whether it was kept. The command fails where it was not. */
  readonly kept?: boolean | undefined;
}

/** A rate with its ratios. */
export function rate(name: string, value: number, ratios: { target?: number; baseline?: number } = {}): Measured {
  return {
    name,
    value: Math.round(value),
    unit: '/s',
    target: ratios.target,
    toTarget: ratios.target === undefined ? undefined : round(value / ratios.target),
    toBaseline: ratios.baseline === undefined ? undefined : round(value / ratios.baseline),
  };
}

/** A figure without a target. */
export function amount(name: string, value: number, unit: string): Measured {
  return { name, value: round(value), unit };
}

/** A figure that must be what it was promised to be. */
export function promise(name: string, value: number, unit: string, kept: boolean, target?: number): Measured {
  return { name, value: round(value), unit, target, kept };
}

/** A time in ms with its target. */
export function time(name: string, ms: number, target?: number): Measured {
  return {
    name,
    value: round(ms),
    unit: 'ms',
    target,
    toTarget: target === undefined ? undefined : round(target / ms),
  };
}

export function printTable(rows: readonly Measured[], out: NodeJS.WritableStream): void {
  const cells = rows.map((r) => [
    r.name,
    `${r.value} ${r.unit}`,
    r.target === undefined ? '' : `${r.target} ${r.unit}`,
    r.kept === undefined ? (r.toTarget === undefined ? '' : String(r.toTarget)) : r.kept ? 'kept' : 'BROKEN',
    r.toBaseline === undefined ? '' : `${r.toBaseline}x`,
  ]);
  const all = [['what', 'measured', 'first target', 'to target', 'to baseline'], ...cells];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  for (const row of all) {
    out.write(`${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')}\n`);
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Says how far a long bench is, to whoever asked for it by `BENCH_DEBUG`. */
export function progress(words: string): void {
  if (process.env['BENCH_DEBUG']) process.stderr.write(`${(performance.now() / 1_000).toFixed(1)} s  ${words}\n`);
}
