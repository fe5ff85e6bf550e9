const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SHAPE = /^(\d{1,12})(ms|s|m|h|d)$/;

/** Reads a duration such as `500ms`, `30s`, `2m`, `1h` or `1d`. Returns milliseconds, or undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const match = SHAPE.exec(text.trim());
  if (match === null) return undefined;
  const [, amount, unit] = match;
  const ms = Number(amount) * UNITS[unit as keyof typeof UNITS];
  return Number.isSafeInteger(ms) ? ms : undefined;
}
