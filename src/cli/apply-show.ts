import type { Config } from '../config/types.ts';
import type { DatabasePlan, DestinationPlan } from './apply-plan.ts';
import {
  describeAdjustment,
  consentNotes,
  describeConsent,
  describeSegment,
  describeSource,
  isAdjusted,
  tableText,
} from './describe.ts';
import { sandboxNotes } from './development.ts';
import { columns, count, duration, wrap } from './layout.ts';
import type { Paint } from './paint.ts';
import { listSources } from './source-list.ts';
import { renderSources } from './source-text.ts';
import { allAttributes } from './summary.ts';

export interface ApplyView {
  readonly config: Config;
  /** `host/database`, without user and password. */
  readonly where: string;
  readonly database: DatabasePlan;
  /** Those that were looked at. */
  readonly destinations: readonly DestinationPlan[];
  /** Names of those that were left out with --skip-destinations. */
  readonly skipped: readonly string[];
}

/** What `apply` will change, as text. */
export function renderApply(view: ApplyView, paint: Paint, width: number): string {
  const { config, where, database, destinations, skipped } = view;
  const lines = [
    paint('bold', `${whatItIs(config, database)}, environment ${config.environment}`),
    `  ${where}`,
    '',
    'Database',
    ...renderDatabase(config, database, paint, width),
    ...renderRead(config, database, width),
    '',
    wrap(`Consent: ${[describeConsent(config.consent), ...consentNotes(config)].join('; ')}`, width),
    ...sandboxNotes(config).map((note) => wrap(note, width)),
    '',
    'Attributes',
    renderAttributes(config, database, destinations, paint),
  ];
  for (const { name, adjustment } of config.destinations) {
    if (adjustment !== undefined && isAdjusted(adjustment))
      lines.push('', wrap(`Contacts at ${name}: ${describeAdjustment(adjustment)}.`, width));
  }
  if (config.segments.length > 0) {
    lines.push(
      '',
      'Segments',
      ...config.segments.map((segment) => wrap(describeSegment(segment), width, '    ').slice(2)),
    );
  }
  for (const plan of destinations) {
    const found = [renderFields(plan, paint, width), renderLists(plan, width)].filter((text) => text !== undefined);
    if (found.length > 0) lines.push('', ...found);
  }
  if (skipped.length > 0) {
    const all = skipped.length === config.destinations.length;
    const who = all ? 'Destinations are left out' : `Left out: ${skipped.join(', ')}`;
    lines.push('', `${who}: fields that are missing there stay missing.`);
  }
  return lines.join('\n');
}

function whatItIs(config: Config, { installed, triggers, migrations }: DatabasePlan): string {
  if (installed === undefined) return 'First install';
  const same = installed.configHash === config.hash && triggers.made.length === 0 && migrations.length === 0;
  return same ? 'Same config again' : 'Update';
}

function renderDatabase(config: Config, database: DatabasePlan, paint: Paint, width: number): readonly string[] {
  const { installed, migrations, functions, triggers, dropped } = database;
  const lines: string[] = [];
  const line = (mark: string, text: string): void => {
    lines.push(`  ${mark} ${wrap(text, width, '    ').trimStart()}`);
  };
  const add = (text: string): void => line(paint('green', '+'), text);
  const change = (text: string): void => line(paint('yellow', '~'), text);
  const remove = (text: string): void => line(paint('red', '-'), text);
  if (installed === undefined) add('schema rollcall');
  if (migrations.length > 0) add(`migrations: ${migrations.join(', ')}`);
  (installed === undefined ? add : change)(count(functions, 'function'));
  for (const { tables, names } of triggers.made) add(`triggers on ${tables.join(', ')}: ${names.join(', ')}`);
  const byWal = installed?.byWal ?? [];
  if (config.capture === 'wal' && triggers.made.length > 0)
    change('capture by the write-ahead log: a running worker takes over from these triggers');
  if (config.capture === 'triggers' && byWal.length > 0)
    change('capture by triggers: a running worker reads the rest of the write-ahead log, and drops the slot');
  if (triggers.removed.length > 0)
    remove(
      `triggers on ${triggers.removed.join(', ')}: nothing of ${triggers.removed.length === 1 ? 'it' : 'them'} is captured any more`,
    );
  for (const { name, account } of config.destinations) {
    const before = installed?.accounts[name];
    if (before === undefined) add(`destination ${name}`);
    else if (account === undefined || before === account || before === '') change(`destination ${name}`);
    else change(`destination ${name}: another account, so everybody is sent again`);
  }
  for (const name of dropped) remove(`destination ${name}: no longer sent to, its contacts stay there`);
  return lines;
}

/** What is read beside the users themselves. */
function renderRead(config: Config, { sources }: DatabasePlan, width: number): readonly string[] {
  const items = listSources(config, sources);
  const { reevaluateMs } = sources;
  const again =
    reevaluateMs === undefined
      ? []
      : [
          wrap(
            `Everybody is looked at again every ${duration(reevaluateMs / 1000)}, as a value may change without its row.`,
            width,
          ),
        ];
  return [
    ...(items.length === 0 ? [] : ['', 'Sources', renderSources(items, width)]),
    ...(again.length === 0 ? [] : ['', ...again]),
  ];
}

function renderAttributes(
  config: Config,
  { attributes }: DatabasePlan,
  destinations: readonly DestinationPlan[],
  paint: Paint,
): string {
  const fresh = new Set(
    destinations.flatMap((d) => (d.problem === undefined ? (d.fields?.changes.create ?? []) : []).map((f) => f.name)),
  );
  const addresses = [
    config.userMapping.address.join('.'),
    ...config.tables.flatMap((t) => (t.email === undefined ? [] : [`${tableText(t.table)}.${t.email}`])),
  ];
  const rows = allAttributes(config).map(({ attribute, table }) => [
    describeSource(attribute, table),
    '->',
    attribute.name,
    attributes[attribute.name] ?? '',
    fresh.has(attribute.name) ? 'new field' : '',
  ]);
  const all = [...addresses.map((from) => [from, '->', 'email', 'address', '']), ...rows];
  return columns(all, 'lllll').replaceAll(/new field$/gm, paint('green', 'new field'));
}

function renderLists({ name, lists, problem }: DestinationPlan, width: number): string | undefined {
  if (problem !== undefined || lists === undefined || lists.create.length === 0) return undefined;
  return wrap(`Lists at ${name} that will be created: ${lists.create.join(', ')}`, width);
}

function renderFields({ name, fields, problem }: DestinationPlan, paint: Paint, width: number): string | undefined {
  if (problem !== undefined) {
    return fields === undefined
      ? `${name}: ${paint('red', "it can't be used")}`
      : `Fields at ${name}: ${paint('red', 'they do not fit')}`;
  }
  if (fields === undefined) return undefined;
  const { changes } = fields;
  if (changes.create.length === 0) return `Fields at ${name}: all there`;
  const created = changes.create.map((f) => `${f.name} (${f.remoteType})`).join(', ');
  return wrap(`Fields at ${name} that will be created: ${created}`, width);
}
