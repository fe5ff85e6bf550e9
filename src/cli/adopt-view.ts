import { maskAddress } from '../core/mask.ts';
import type { AdoptReport } from '../engine/adopt-report.ts';
import { columns, count, wrap } from './layout.ts';
import { suppressionLines } from './suppressions-view.ts';

/** The report with addresses that tell little, unless they shall be shown. */
export function masked(report: AdoptReport, show: boolean): AdoptReport {
  return show ? report : { ...report, samples: report.samples.map((s) => ({ ...s, address: maskAddress(s.address) })) };
}

/** What was adopted, for a person. */
export function renderAdopt(reports: readonly AdoptReport[], width: number): string {
  const lines = reports.flatMap((report) => [...section(report, width), '']);
  return [...lines, 'Nothing was sent. Next: `rollcall start`'].join('\n');
}

function section(report: AdoptReport, width: number): readonly string[] {
  const { destination, there, ours, adopted, equal, missing, doubles, unknown, recorded, unread, samples } = report;
  const number = (n: number): string => n.toLocaleString('en-US');
  const lines = [
    `${destination}: ${count(there, 'contact')} there`,
    columns(
      [
        ['people of ours, found there', number(ours)],
        ['  adopted now, by their ids there', number(adopted)],
        ['  as they shall be already, not sent', number(equal)],
        ['people of ours, not there', number(missing)],
        ['nobody of ours, left as they are', number(unknown)],
        ['opt-outs, complaints and bounces, now known here', number(recorded)],
      ],
      'lr',
    ),
  ];
  lines.push(...suppressionLines(report.suppressions, width));
  if (unread.length > 0) {
    lines.push(wrap(`It does not show: ${unread.join(', ')}. Whoever has one of these is sent.`, width, '  '));
  }
  if (doubles > 0) {
    const some = samples.map(({ address }) => address).join(', ');
    const words = `There twice at one address: ${some}${doubles > samples.length ? ', ...' : ''}. Remove one of the two there by hand.`;
    lines.push(wrap(words, width, '  '));
  }
  return lines;
}
