import { type JsonObject, renderJson } from '../core/json.ts';
import type { StoryRows } from '../sql/store/why.ts';
import { oneLine } from './describe.ts';
import { differenceText, nameText, valueText } from './difference.ts';
import { count, cut, hanging, utc, wrap } from './layout.ts';
import type { Paint } from './paint.ts';
import type { Told, ToldDestination } from './why-story.ts';

/** How it is shown. */
export interface WhyPage {
  readonly width: number;
  readonly paint: Paint;
  /** ms since the epoch. */
  readonly now: number;
  /** How old the rows are, where they were read by the API and that is worth a word. */
  readonly readAgo?: string | undefined;
}

/** A longer value is cut: metadata may be of kilobytes. */
const LONGEST_VALUE = 200;

/** The text of `rollcall why`. */
export function renderWhy(told: Told, page: WhyPage): string {
  const blocks = [
    ...(told.contacts.length === 0 ? [page.paint('bold', `${told.who.trim()}: no contact`)] : []),
    ...told.contacts.map((contact) => page.paint('bold', whoIs(contact))),
  ];
  const sections = [
    blocks.join('\n'),
    rowsSection(told.rows, page),
    ...told.contacts.flatMap((contact) =>
      contact.destinations.map((one) => destinationSection(one, told.contacts.length > 1 ? contact.key : '', page)),
    ),
    consentSection(told, page),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

function whoIs({ key, contact, user }: Told['contacts'][number]): string {
  const who = user === null ? key.replace(/^email:/, '') : `user ${user}`;
  return contact === null ? `${who}: no contact yet` : `${who}: contact ${contact}`;
}

function rowsSection(rows: readonly StoryRows[], { width, paint, readAgo }: WhyPage): string {
  if (rows.length === 0) return paint('yellow', 'No row leads to them.');
  const lines = rows.flatMap(({ source, rows: found, where, more, problem }) => {
    if (problem !== undefined) return [`  ${source}`, hanging('    ', `can't be read: ${problem}`, width)];
    const said = found.flatMap(({ row, holds }) => [
      hanging('    ', rowText(row), width),
      ...(holds === false ? [hanging('      ', `left out: not ${oneLine(where ?? '')}`, width)] : []),
    ]);
    return [`  ${source}`, ...said, ...(more ? ['    and more'] : [])];
  });
  const title = readAgo === undefined ? 'Rows' : `Rows, as read by the API ${readAgo} ago`;
  return [paint('bold', title), ...lines].join('\n');
}

function rowText(row: JsonObject): string {
  return Object.entries(row)
    .map(([name, value]) => `${name} ${cut(renderJson(value), LONGEST_VALUE)}`)
    .join(', ');
}

function destinationSection(one: ToldDestination, key: string, page: WhyPage): string {
  const { width, paint } = page;
  const line = (label: string, text: string): string => hanging(`  ${label.padEnd(10)}`, text, width);
  const state = stateOf(one, page.now);
  const name = key === '' ? one.destination : `${one.destination} (${key.replace(/^email:/, '')})`;
  return [
    `${paint('bold', name)}: ${paint(state.colour, state.text)}`,
    ...(one.action === 'upsert' ? attributeLines(one, line) : noContact(one, line)),
    ...(one.changed.length === 0
      ? []
      : [
          line(
            'rows say',
            one.changed.map((d) => `${nameText(d.name)} ${cut(differenceText(d), LONGEST_VALUE)}`).join(', '),
          ),
        ]),
    ...thereLine(one, line),
    ...one.attempts.map((a, n) => line(n === 0 ? 'tried' : '', attemptText(a))),
    ...(one.failure === null
      ? []
      : [
          line(
            'failed',
            `${one.failure.code}${one.failure.field === null ? '' : ` (${one.failure.field})`}: ${said(one.failure.message)}`,
          ),
        ]),
    ...one.events.map((e, n) => line(n === 0 ? 'events' : '', eventText(e))),
    ...one.advice.map((text, n) => line(n === 0 ? 'to do' : '', text)),
  ].join('\n');
}

type Line = (label: string, text: string) => string;

/** What shall be there; what was delivered beside it, where it differs. */
function attributeLines(one: ToldDestination, line: Line): readonly string[] {
  const changes = new Map(one.differs.map((d) => [d.name, d]));
  const of = (name: string, value: string): string => {
    const change = changes.get(name);
    return `${nameText(name)}  ${cut(change === undefined ? value : differenceText(change), LONGEST_VALUE)}`;
  };
  const attributes = one.attributes ?? {};
  const gone = one.differs.filter(({ name, after }) => after === undefined && name !== 'address' && name !== 'consent');
  const all = [
    of('address', valueText(one.address)),
    of('consent', valueText(one.consent)),
    ...Object.entries(attributes).map(([name, value]) => of(name, valueText(value))),
    ...gone.map(({ name }) => of(name, '')),
  ];
  return all.map((text, n) => line(n === 0 ? 'shall be' : '', text));
}

function noContact({ action, reason }: ToldDestination, line: Line): readonly string[] {
  if (action === null) return [];
  const what = action === 'none' ? 'no contact' : `${action}d`;
  return [line('shall be', reason === null ? what : `${what} (${reason.replaceAll('_', ' ')})`)];
}

function thereLine(one: ToldDestination, line: Line): readonly string[] {
  const { there, delivered } = one;
  if (there === null) return [];
  const id = there.id === null ? '' : ` as ${there.id}`;
  const version = one.delivered_version === null ? '' : `, version ${one.delivered_version} of ${one.version ?? ''}`;
  const lost = delivered === undefined && one.delivered_version !== null ? ' (what it had then is not kept)' : '';
  return [line('there', `${there.address ?? 'under its id'}${id}${version}${lost}`)];
}

function attemptText({ at, action, version, outcome, code, message }: ToldDestination['attempts'][number]): string {
  const why = [code, message === null ? null : said(message)].filter((part) => part !== null && part !== '').join(': ');
  return `${utc(at)}  ${action} ${version}  ${outcome}${why === '' ? '' : `  ${why}`}`;
}

function eventText({ at, name, state, reason, message }: ToldDestination['events'][number]): string {
  const why = [reason, message === null ? null : said(message)]
    .filter((part) => part !== null && part !== '')
    .join(': ');
  return `${utc(at)}  ${name}  ${state}${why === '' ? '' : `  ${why}`}`;
}

function said(words: string): string {
  return cut(words.replaceAll(/\s+/g, ' ').trim(), LONGEST_VALUE);
}

/** How it stands there, in a few words. */
function stateOf(
  { due, failure, action, in_step: inStep, paused }: ToldDestination,
  now: number,
): { readonly text: string; readonly colour: 'green' | 'yellow' | 'red' } {
  if (due?.under_way === true) return { text: 'being sent now', colour: 'yellow' };
  if (due !== null && due.lane >= 2) return { text: `held by a brake since ${utc(due.since)}`, colour: 'red' };
  if (due !== null) {
    const when = Date.parse(due.at) <= now ? 'now' : utc(due.at);
    const tries = due.tries === 0 ? '' : ` after ${count(due.tries, 'failed try', 'failed tries')}`;
    return {
      text: `due since ${utc(due.since)}, next try ${when}${tries}${paused === null ? '' : ', once it is no longer paused'}`,
      colour: 'yellow',
    };
  }
  if (failure !== null) return { text: `failed ${utc(failure.at)}, not tried again by itself`, colour: 'red' };
  if (action === null) return { text: 'nothing decided yet', colour: 'yellow' };
  if (action === 'none') return { text: 'no contact', colour: 'yellow' };
  return inStep ? { text: 'in step', colour: 'green' } : { text: 'not in step', colour: 'yellow' };
}

function consentSection({ consent }: Told, { width, paint }: WhyPage): string {
  if (consent.length === 0) return 'They have said nothing of being mailed that was recorded.';
  const lines = consent.map(({ kind, origin, at, received_at: received, topic }) =>
    wrap(`${utc(at ?? received)}  ${kind}${topic === null ? '' : ` (${topic})`}, from ${origin}`, width, '  '),
  );
  return [paint('bold', 'Said of being mailed'), ...lines].join('\n');
}
