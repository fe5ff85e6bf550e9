import type { Config } from '../config/types.ts';
import type { DatabasePlan, DestinationPlan } from './apply-plan.ts';
import { columns, count, wrap } from './layout.ts';
import type { Paint } from './paint.ts';
import { describeConsent, describeSource } from './summary.ts';

export interface ApplyView {
  readonly config: Config;
  /** `host/database`, without user and password. */
  readonly where: string;
  readonly database: DatabasePlan;
  /** Undefined with --skip-destinations. */
  readonly destinations: readonly DestinationPlan[] | undefined;
}

/** What `apply` will change, as text. */
export function renderApply({ config, where, database, destinations }: ApplyView, paint: Paint, width: number): string {
  const { installed } = database;
  const what =
    installed === undefined
      ? 'First install'
      : installed.configHash === config.hash && database.newTriggers.length === 0 && database.migrations.length === 0
        ? 'Same config again'
        : 'Update';
  const lines = [paint('bold', `${what}: ${where}, environment ${config.environment}`), '', 'Database'];
  const line = (mark: string, text: string): void => {
    lines.push(`  ${mark} ${wrap(text, width, '    ').trimStart()}`);
  };
  const add = (text: string): void => line(paint('green', '+'), text);
  const change = (text: string): void => line(paint('yellow', '~'), text);
  const remove = (text: string): void => line(paint('red', '-'), text);
  if (installed === undefined) add('schema rollcall');
  if (database.migrations.length > 0) add(`migrations: ${database.migrations.join(', ')}`);
  (installed === undefined ? add : change)(count(database.functions, 'function'));
  if (database.newTriggers.length > 0) add(`triggers on auth.users: ${database.newTriggers.join(', ')}`);
  const kept = installed?.triggers.length ?? 0;
  const captures = config.enabled && config.users && config.destinations.length > 0;
  if (kept > 0 && !captures) remove('triggers on auth.users: nothing is captured any more');
  for (const { name, account } of config.destinations) {
    const before = installed?.accounts[name];
    if (before === undefined) add(`destination ${name}`);
    else if (before === account) change(`destination ${name}`);
    else change(`destination ${name}: another account, so everybody is sent again`);
  }
  for (const name of database.dropped) remove(`destination ${name}: no longer sent to, its contacts stay there`);
  lines.push('', `Consent: ${describeConsent(config.consent)}`);
  lines.push('', 'Attributes', renderAttributes(config, database, destinations, paint));
  for (const plan of destinations ?? []) {
    lines.push('', renderFields(plan, paint, width));
  }
  if (destinations === undefined)
    lines.push('', 'Destinations are left out: fields that are missing there stay missing.');
  return lines.join('\n');
}

function renderAttributes(
  config: Config,
  { attributes }: DatabasePlan,
  destinations: readonly DestinationPlan[] | undefined,
  paint: Paint,
): string {
  const fresh = new Set(destinations?.flatMap((d) => d.changes.create.map((f) => f.name)));
  const rows = config.userMapping.attributes.map((a) => [
    describeSource(a),
    '->',
    a.name,
    attributes[a.name] ?? '',
    fresh.has(a.name) ? 'new field' : '',
  ]);
  const all = [[config.userMapping.address.join('.'), '->', 'email', 'address', ''], ...rows];
  return columns(all, 'lllll').replaceAll(/new field$/gm, paint('green', 'new field'));
}

function renderFields({ name, changes, problem }: DestinationPlan, paint: Paint, width: number): string {
  if (problem !== undefined) return `Fields at ${name}: ${paint('red', 'they do not fit')}`;
  if (changes.create.length === 0) return `Fields at ${name}: all there`;
  const created = changes.create.map((f) => `${f.name} (${f.remoteType})`).join(', ');
  return wrap(`Fields at ${name} that will be created: ${created}`, width);
}
