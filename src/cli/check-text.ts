import type { Config } from '../config/types.ts';
import type { DatabaseCheck } from './config-database.ts';
import {
  describeAdjustment,
  consentNotes,
  describeConsent,
  describeSegment,
  describeSource,
  isAdjusted,
  oneLine,
} from './describe.ts';
import { columns, hanging } from './layout.ts';
import type { Paint } from './paint.ts';
import { listSources } from './source-list.ts';
import { renderSources } from './source-text.ts';
import { allAttributes, allWarnings, type Found } from './summary.ts';
import { renderWarnings } from './warnings.ts';
import { whereIs } from './where.ts';

/** Width of what stands before a value. */
const LABEL = 14;

/** The text of `config check` for a config without mistakes. */
export function renderCheck(config: Config, database: DatabaseCheck, paint: Paint, width: number): string {
  const found = database.checked ? database.found : undefined;
  const say = ([label, text]: Line): string => hanging(label.padEnd(LABEL), text, width);
  const sources = listSources(config, found?.sources);
  const asked = database.checked ? `checked: ${whereIs(config.databaseUrl ?? '')}` : `not checked: ${database.reason}`;
  return [
    ...renderWarnings(config.file, allWarnings(config, found?.sources), paint, width),
    `${paint('green', 'ok')} ${config.file}, environment ${config.environment}`,
    '',
    ...[...destinationLines(config), ...userLines(config)].map(say),
    'attributes',
    renderAttributes(config, found),
    ...(sources.length === 0 ? [] : ['sources', renderSources(sources, width)]),
    ...loggingLine(config.log).map(say),
    say(['database', asked]),
  ].join('\n');
}

type Line = readonly [label: string, text: string];

function destinationLines(config: Config): Line[] {
  const { destinations, enabled, consent, segments } = config;
  const names = destinations.map((d) => (d.name === d.type ? d.name : `${d.name} (${d.type})`));
  return [
    ['destinations', names.length === 0 ? 'none: nothing is sent' : names.join(', ')],
    ...destinations.flatMap(({ name, sandbox }): Line[] =>
      sandbox === undefined ? [] : [['development', `${name} is sent to the sandbox at ${sandbox}`]],
    ),
    ...(enabled ? [] : [['enabled', 'false: nothing is captured or sent'] as const]),
    ...(destinations.length === 0
      ? []
      : ([
          ['on_delete', leaving(destinations)],
          ['consent', describeConsent(consent)],
          ...consentNotes(config).map((note): Line => ['consent', note]),
          ...destinations.flatMap(({ name, adjustment }) =>
            adjustment === undefined || !isAdjusted(adjustment)
              ? []
              : [[name, describeAdjustment(adjustment)] as const],
          ),
          ...segments.map((segment, n): Line => [n === 0 ? 'segments' : '', describeSegment(segment)]),
        ] as const)),
  ];
}

/** One word where all destinations do the same. */
function leaving(destinations: Config['destinations']): string {
  const policies = new Set(destinations.map((d) => d.onDelete));
  return policies.size === 1 ? [...policies].join('') : destinations.map((d) => `${d.onDelete} (${d.name})`).join(', ');
}

function userLines({ users, tables, userMapping }: Config): Line[] {
  const { address, where, unconfirmed } = userMapping;
  const off = tables.length === 0 ? 'none is a contact' : 'only those that a row of a table leads to are contacts';
  return [
    ...(users ? [] : [['users', `off: ${off}`] as const]),
    ['address', `${address.join('.')}${unconfirmed ? ', also unconfirmed ones' : ', once confirmed'}`],
    ...(where === undefined ? [] : [['only where', oneLine(where.expression)] as const]),
  ];
}

/** What a worker logs, where that is more or less than usual. */
function loggingLine({ level, queries, realtime }: Config['log']): Line[] {
  const parts = [
    ...(level === 'info' ? [] : [level === 'debug' ? 'debug: a line for each attempt' : `${level} and above`]),
    ...(queries ? ['the text of queries, without values'] : []),
    ...(realtime ? ['batches of changes, as counts'] : []),
  ];
  return parts.length === 0 ? [] : [['logging', parts.join('; ')]];
}

function renderAttributes(config: Config, found: Found | undefined): string {
  const rows = allAttributes(config).map(({ attribute, table }) => [
    describeSource(attribute, table),
    '->',
    attribute.name,
    found?.attributes[attribute.name] ?? attribute.type ?? '',
  ]);
  return rows.length === 0 ? '  none' : columns(rows, 'llll');
}
