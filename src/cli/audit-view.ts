import { maskAddress } from '../core/mask.ts';
import { type AuditReport, type Drift, DRIFTS, type DriftSample, hasDrift } from '../engine/audit-report.ts';
import type { RepairCounts } from '../engine/remote-ports.ts';
import { columns, count, wrap } from './layout.ts';
import { suppressionLines } from './suppressions-view.ts';

const WORDS: Readonly<Record<Drift, string>> = {
  missing: 'in step here, but not there',
  stale: 'there with other values',
  duplicate: 'there twice at one address',
  old_address: 'there at an old address too',
  unsubscribed_there: 'unsubscribed there, not opted out here',
  subscribed_there: 'opted out here, subscribed there',
  left_over: 'gone here, still there',
  unknown: 'there, but never heard of here',
};

/** The report with addresses that tell little, unless they shall be shown. */
export function masked(report: AuditReport, show: boolean): AuditReport {
  if (show) return report;
  const samples = Object.fromEntries(
    DRIFTS.map((kind) => [kind, report.samples[kind].map((s) => ({ ...s, address: maskAddress(s.address) }))]),
  ) as Record<Drift, DriftSample[]>;
  return { ...report, samples };
}

/** What an audit found, for a person. */
export function renderAudit(report: AuditReport, width: number): string {
  const { destination, there, compared, moving, refused, drift, unread, repaired } = report;
  const out = [
    moving > 0 ? `${moving.toLocaleString('en-US')} on the move` : '',
    refused > 0 ? `${refused.toLocaleString('en-US')} refused` : '',
  ];
  const leftOut = out.filter((part) => part !== '').join(', ');
  const lines = [
    `${destination}: ${count(there, 'contact')} there, ${compared.toLocaleString('en-US')} of ours compared${leftOut === '' ? '' : ` (left out: ${leftOut})`}`,
  ];
  if (unread.length > 0)
    lines.push(
      wrap(`The export has no column for: ${unread.join(', ')}. Nobody can say whether these differ.`, width, '  '),
    );
  lines.push(...suppressionLines(report.suppressions, width));
  if (!hasDrift(report)) return [...lines, '  No drift.'].join('\n');
  const found = DRIFTS.filter((kind) => drift[kind] > 0);
  lines.push(
    '',
    columns(
      found.map((kind) => [WORDS[kind], drift[kind].toLocaleString('en-US')]),
      'lr',
    ),
    '',
  );
  for (const kind of found)
    lines.push(`  ${WORDS[kind]}:`, ...report.samples[kind].map(sampleLine), ...more(report, kind));
  if (repaired !== undefined)
    lines.push('', wrap(`Repaired: ${repairWords(repaired)}.`, width, '  '), ...notRepaired(report, width));
  return lines.join('\n');
}

function sampleLine({ address, attributes }: DriftSample): string {
  return `    ${address}${attributes === undefined ? '' : `  ${attributes.join(', ')}`}`;
}

function more({ drift, samples }: AuditReport, kind: Drift): string[] {
  const rest = drift[kind] - samples[kind].length;
  return rest > 0 ? [`    and ${rest.toLocaleString('en-US')} more`] : [];
}

function repairWords({ anew, resend, opted_out: out, remove }: RepairCounts): string {
  return [
    `${count(anew + resend, 'contact')} to be sent again`,
    `${remove.toLocaleString('en-US')} to be removed`,
    `${count(out, 'opt-out')} recorded here`,
  ].join(', ');
}

/** What no repair touches by itself. */
function notRepaired({ drift, repaired }: AuditReport, width: number): string[] {
  const lines: string[] = [];
  if (drift.duplicate > 0) lines.push('Two contacts at one address: remove one of them there by hand.');
  if (drift.unknown > 0 && (repaired?.remove ?? 0) <= drift.left_over) {
    lines.push('Contacts never heard of here stay, unless --delete-extra is given.');
  }
  return lines.map((line) => wrap(line, width, '  '));
}
