import type { RecoverReport } from '../engine/recover.ts';
import { columns, count, wrap } from './layout.ts';
import { suppressionLines } from './suppressions-view.ts';

/** What a recovery found, for a person. */
export function renderRecover(reports: readonly RecoverReport[], width: number): string {
  const lines = reports.flatMap((report) => [...section(report, width), '']);
  return [...lines, 'Recovered. Start the workers: `rollcall start`'].join('\n');
}

function section(report: RecoverReport, width: number): string[] {
  const { destination, read, there, equal, different, missing, optedOut, unknown, samples } = report;
  if (!read) return [`${destination}: not read. Everybody is sent again.`];
  const number = (n: number): string => n.toLocaleString('en-US');
  const lines = [
    `${destination}: ${count(there, 'contact')} there`,
    columns(
      [
        ['as they shall be, not sent again', number(equal)],
        ['different, sent again', number(different)],
        ['not there, sent again', number(missing)],
        ['unsubscribed there, opted out here from now on', number(optedOut)],
        ['never heard of here', number(unknown)],
      ],
      'lr',
    ),
  ];
  lines.push(...suppressionLines(report.suppressions, width));
  if (unknown > 0) {
    const some = samples.map(({ address }) => address).join(', ');
    const words = `Never heard of here: ${some}${unknown > samples.length ? ', ...' : ''}. They may be people of after the backup; nothing was changed about them.`;
    lines.push(wrap(words, width, '  '));
  }
  return lines;
}
