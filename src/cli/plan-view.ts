import type { Config } from '../config/types.ts';
import { isJsonObject, type Json, renderJson } from '../core/json.ts';
import { maskAddress } from '../core/mask.ts';
import type { PlannedState } from '../sql/plan/run.ts';
import { nameText } from './difference.ts';
import type { Page } from './failures-view.ts';
import { columns, cut, duration, hanging, wrap } from './layout.ts';
import type { PlannedDestination, PlannedPeople, PlannedSample } from './plan-tally.ts';

/** What a state is called, and what it means where the word does not say it. */
const WORDS: Readonly<Record<PlannedState, string>> = {
  create: 'create',
  update: 'update',
  delete: 'delete',
  unsubscribe: 'unsubscribe',
  unchanged: 'unchanged',
  skipped: 'left out',
  left_there: 'left as it is',
  refused: 'refused before',
  held: 'held by a brake',
};

/** What the next sync does, destination by destination, as text. */
export function renderPeople(config: Config, people: PlannedPeople, page: Page): string {
  const { look, estimate, destinations } = people;
  const blocks = [...destinations].map(([name, planned]) => renderOne(config, { name, planned, estimate }, page));
  const seen = estimate
    ? `An estimate: ${number(look.looked)} of about ${number(look.contacts)} people were looked at. Without --sample it is exact.`
    : `${look.contacts === 1 ? '1 person was' : `${number(look.contacts)} people were`} looked at. Nothing was sent, and nothing was changed.`;
  const erased =
    look.erased === 0
      ? ''
      : ` ${look.erased === 1 ? '1 was' : `${number(look.erased)} were`} erased, and ${look.erased === 1 ? 'stays' : 'stay'} so.`;
  return [...blocks, wrap(seen + erased, page.width)].join('\n\n');
}

interface One {
  readonly name: string;
  readonly planned: PlannedDestination;
  readonly estimate: boolean;
}

function renderOne(config: Config, { name, planned, estimate }: One, page: Page): string {
  const { people, calls, seconds, samples, refused } = planned;
  const states = (Object.keys(WORDS) as PlannedState[]).filter((state) => people[state] > 0);
  const about = estimate ? 'about ' : '';
  const widest = Math.max(...states.map((state) => WORDS[state].length));
  const digits = Math.max(...states.map((state) => number(people[state]).length));
  const lines = states.map((state) => {
    const label = `  ${WORDS[state].padEnd(widest)}  ${number(people[state]).padStart(digits)}  `;
    return hanging(label, details(state, planned), page.width).trimEnd();
  });
  const requests = calls.reduce((sum, call) => sum + call.count, 0);
  const took =
    requests === 0
      ? 'No calls.'
      : `${capital(about)}${number(requests)} call${Math.round(requests) === 1 ? '' : 's'}, at least ${duration(Math.max(1, seconds))} at its limits:`;
  return [
    page.paint('bold', `People at ${name}${estimate ? ' (estimate)' : ''}`),
    ...(lines.length === 0 ? ['  nobody'] : lines),
    ...(Object.keys(refused).length === 0
      ? []
      : [wrap(`Of these, not sent for a value that it would not take: ${list(refused)}.`, page.width, '  ')]),
    `  ${took}`,
    ...(calls.length === 0
      ? []
      : [
          columns(
            calls.map((call) => [number(call.count), call.method, call.path]),
            'rll',
            '    ',
          ),
        ]),
    ...brakes(config, planned).map((line) => wrap(line, page.width, '  ')),
    ...(samples.length === 0 ? [] : ['  For example:', ...samples.flatMap((sample) => renderSample(sample, page))]),
  ].join('\n');
}

/** What there is to say of a number. */
function details(state: PlannedState, { fields, again, reasons }: PlannedDestination): string {
  if (state === 'update') {
    const waiting = again === 0 ? [] : [`${number(again)} sent again`];
    return [...Object.entries(fields).map(([field, n]) => `${nameText(field)} ${number(n)}`), ...waiting].join(', ');
  }
  if (state === 'skipped' || state === 'left_there' || state === 'refused') {
    const own = Object.entries(reasons[state]);
    return own.map(([reason, n]) => `${reason.replaceAll('_', ' ')} ${number(n)}`).join(', ');
  }
  return state === 'held' ? '`rollcall release` lets them out' : '';
}

/** What a brake would hold, unless it is confirmed when it is applied. */
function brakes(config: Config, { people }: PlannedDestination): readonly string[] {
  const { deletes, changes } = config.brakes;
  const leaving = people.delete + people.unsubscribe;
  const living = people.update + people.unchanged + leaving;
  return [
    ...(deletes !== 'off' && leaving >= deletes.least && leaving > deletes.share * living
      ? [
          `So many leave that the brake on deletions holds them, unless \`rollcall apply\` has counted them and you say yes.`,
        ]
      : []),
    ...(changes !== 'off' && people.update >= changes.least && people.update > changes.share * living
      ? [
          `So many change that the brake on changes holds them, unless \`rollcall apply\` has counted them and you say yes.`,
        ]
      : []),
  ];
}

function renderSample(
  { state, address, before, after, fields }: PlannedSample,
  { width, reveal }: Page,
): readonly string[] {
  const who = address === null ? 'somebody' : reveal ? address : maskAddress(address);
  const names =
    state === 'update' && fields !== undefined && before !== undefined ? fields : Object.keys(after?.attributes ?? {});
  const rows = names.map((name): readonly string[] => {
    const from = valueOf(name, before, reveal);
    const to = valueOf(name, after, reveal);
    return state === 'update' && before !== undefined ? [nameText(name), from, '->', to] : [nameText(name), to];
  });
  const lines = rows.length === 0 ? [] : columns(rows, 'llll', '      ').split('\n');
  return [`    ${WORDS[state]} ${who}`, ...lines].map((line) => cut(line, width));
}

function valueOf(name: string, side: PlannedSample['before'], reveal: boolean): string {
  if (side === undefined) return '-';
  if (name === 'email') return side.address === null ? '-' : shown(side.address, reveal);
  if (name === 'consent') return '';
  const value = side.attributes[name];
  return value === undefined ? '-' : shown(value, reveal);
}

/** A value as JSON, so that nothing in it moves a cursor; addresses in it are masked. */
function shown(value: Json, reveal: boolean): string {
  return renderJson(reveal ? value : maskedValue(value));
}

/** A value with every address in its texts masked. */
export function maskedValue(value: Json): Json {
  if (typeof value === 'string') return value.replaceAll(/[^\s@<>"',;]+@[^\s@<>"',;]+/g, maskAddress);
  if (Array.isArray(value)) return (value as readonly Json[]).map(maskedValue);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, maskedValue(each)]));
}

function list(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, n]) => `${number(n)} (${name})`)
    .join(', ');
}

const number = (n: number): string => Math.round(n).toLocaleString('en-US');
const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
