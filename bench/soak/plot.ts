import type { Sample, Series } from './sample.ts';

/** When something was done to the system, in seconds since the load began. */
export interface Mark {
  readonly at: number;
  readonly what: string;
}

const WIDTH = 1_100;
const PANEL = { left: 70, top: 34, width: 760, height: 130, gap: 62 };
const COLOURS = ['#1f77b4', '#d62728', '#2ca02c', '#9467bd', '#ff7f0e', '#17becf', '#8c564b', '#7f7f7f'];
const TICKS = 4;
/** Of more than this above the rest of a panel the top is cut off, and said. */
const SPIKE = 4;

/** All series as one SVG picture: a panel for each group, faults as grey lines. Pure. */
export function plot(
  title: string,
  samples: readonly Sample[],
  series: readonly Series[],
  marks: readonly Mark[],
): string {
  const groups = [...new Set(series.map(({ group }) => group))];
  const end = Math.max(1, samples.at(-1)?.at ?? 1);
  const panels = groups.map((group, n) =>
    panel(
      group,
      series.filter((each) => each.group === group),
      samples,
      marks,
      end,
      60 + n * (PANEL.height + PANEL.gap),
    ),
  );
  const height = 60 + groups.length * (PANEL.height + PANEL.gap) + 20;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
<text x="${PANEL.left}" y="28" font-size="17" font-weight="bold">${escape(title)}</text>
<text x="${PANEL.left}" y="46" fill="#666">grey lines: faults and chores (${escape([...new Set(marks.map(({ what }) => what))].join(', '))}); time in minutes</text>
${panels.join('\n')}
</svg>
`;
}

function panel(
  group: string,
  series: readonly Series[],
  samples: readonly Sample[],
  marks: readonly Mark[],
  end: number,
  y0: number,
): string {
  const top = y0 + PANEL.top;
  const bottom = top + PANEL.height;
  const all = series.flatMap(({ name }) => samples.flatMap((s) => s.values[name] ?? []));
  const most = ceiling(all);
  const x = (at: number): number => PANEL.left + (at / end) * PANEL.width;
  const y = (value: number): number => bottom - (Math.min(value, most) / most) * PANEL.height;
  const parts = [
    `<text x="${PANEL.left}" y="${top - 10}" font-weight="bold">${escape(group)}${Math.max(...all) > most ? ` (highest ${label(Math.max(...all))}, cut off)` : ''}</text>`,
  ];
  for (const { at } of marks) parts.push(line(x(at), top, x(at), bottom, '#c9c9c9'));
  for (let n = 0; n <= TICKS; n += 1) {
    const value = (most * n) / TICKS;
    parts.push(line(PANEL.left, y(value), PANEL.left + PANEL.width, y(value), '#ddd'));
    parts.push(`<text x="${PANEL.left - 8}" y="${y(value) + 4}" text-anchor="end" fill="#444">${label(value)}</text>`);
  }
  const step = Math.max(0.5, Math.ceil(end / 60 / 10));
  for (let minute = 0; minute <= end / 60; minute += step) {
    parts.push(`<text x="${x(minute * 60)}" y="${bottom + 16}" text-anchor="middle" fill="#444">${minute}</text>`);
  }
  for (const [n, { name, unit }] of series.entries()) {
    const colour = COLOURS[n % COLOURS.length]!;
    const points = samples.flatMap((s) => {
      const value = s.values[name];
      return value === undefined ? [] : [`${x(s.at).toFixed(1)},${y(value).toFixed(1)}`];
    });
    parts.push(`<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.join(' ')}"/>`);
    const left = PANEL.left + PANEL.width + 16;
    parts.push(line(left, top + 6 + n * 16, left + 18, top + 6 + n * 16, colour));
    parts.push(
      `<text x="${left + 24}" y="${top + 10 + n * 16}">${escape(name)}${unit === '' ? '' : ` (${escape(unit)})`}</text>`,
    );
  }
  return parts.join('\n');
}

/** The top of a scale: what nearly all values are below. */
function ceiling(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const most = sorted.at(-1) ?? 1;
  const usual = sorted[Math.floor(sorted.length * 0.95)] ?? 1;
  return Math.max(1, most > usual * SPIKE ? usual * SPIKE : most * 1.05);
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string): string {
  return `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="${colour}"/>`;
}

function label(value: number): string {
  return value >= 10 ? String(Math.round(value)) : String(Math.round(value * 10) / 10);
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
