import type { FailedOne, FailureCause, Retried } from '../sql/store/failures.ts';
import { adviceFor } from './failure-advice.ts';
import { shownContact, shownWords } from './failure-words.ts';
import { count, hanging, utc, wrap } from './layout.ts';
import type { Paint } from './paint.ts';

/** What is shown of a terminal. */
export interface Page {
  readonly width: number;
  readonly paint: Paint;
  /** Whether personal data may be shown. */
  readonly reveal: boolean;
}

/** `invalid_field (PLAN)`. */
export function causeName({ code, field }: Pick<FailureCause, 'code' | 'field'>): string {
  return field === null ? code : `${code} (${field})`;
}

/** `invalid_field:PLAN`, as `--cause` takes it. */
export function causeOption({ code, field }: Pick<FailureCause, 'code' | 'field'>): string {
  return field === null ? code : `${code}:${field}`;
}

/** `1,203 contacts refused`. */
function whatFailed({ stage, code, count: n }: FailureCause): string {
  if (stage === 'event') return `${count(n, 'event')} not delivered`;
  if (stage === 'map') return `${count(n, 'contact')} that can't be mapped`;
  return code === 'gave_up' ? `${count(n, 'contact')} given up` : `${count(n, 'contact')} refused`;
}

export function wordsOf(one: FailedOne, code: string, reveal: boolean): string {
  return reveal ? one.message : shownWords(one, code);
}

/** Causes by destination, each with the words, an example and what to do. @param dropped how many a person has dropped, by destination */
export function renderCauses(
  causes: readonly FailureCause[],
  dropped: readonly { readonly name: string; readonly dropped: number }[],
  page: Page,
): string {
  const names = dropped.map(({ name }) => name);
  const blocks = names.flatMap((name) => {
    const own = causes.filter((cause) => cause.destination === name);
    const hidden = dropped.find((d) => d.name === name)?.dropped ?? 0;
    return own.length + hidden === 0 ? [] : [renderDestination(name, own, hidden, page)];
  });
  return blocks.length === 0 ? page.paint('green', 'Nothing has failed.') : blocks.join('\n\n');
}

function renderDestination(name: string, causes: readonly FailureCause[], dropped: number, page: Page): string {
  const sum = (events: boolean): number =>
    causes.filter(({ stage }) => (stage === 'event') === events).reduce((total, { count: n }) => total + n, 0);
  const [contacts, events] = [sum(false), sum(true)];
  const parts = [
    ...(contacts > 0 ? [count(contacts, 'contact')] : []),
    ...(events > 0 ? [count(events, 'event')] : []),
    ...(dropped > 0 ? [`${count(dropped, 'contact')} dropped until they change`] : []),
  ];
  const head = page.paint('bold', `${name}: ${parts.join(', ')}`);
  return [head, ...causes.flatMap((cause) => ['', renderCause(cause, page)])].join('\n');
}

function renderCause(cause: FailureCause, page: Page): string {
  const { width, paint, reveal } = page;
  const { code, newestAt, example, stage } = cause;
  const title = `${causeName(cause)}: ${whatFailed(cause)}, the newest ${utc(newestAt)}`;
  const words = wordsOf(example, code, reveal);
  const said = stage === 'map' || /^[0-9A-Z]{5}$/.test(code) ? 'database  ' : 'words     ';
  return [
    wrap(`  ${title}`, width, '  ').replace(/^ +/, '  ').replace(code, paint('red', code)),
    ...(words === '' ? [] : [hanging(`    ${said}`, words, width)]),
    hanging('    example   ', exampleOf(example, reveal), width),
    hanging('    to do     ', adviceFor(cause), width),
  ].join('\n');
}

function exampleOf(example: FailedOne, reveal: boolean): string {
  const event = example.eventName === null ? [] : [`event ${example.eventName}`];
  if (reveal) return [...event, shownContact(example, true)].join(', ');
  return [...event, example.contact === null ? 'nobody known' : `contact ${example.contact}`].join(', ');
}

/** One cause with its contacts, the newest first. */
export function renderFailed(
  causes: readonly FailureCause[],
  ones: readonly (FailedOne & Pick<FailureCause, 'code'>)[],
  page: Page,
): string {
  const { width, reveal } = page;
  const lines: string[] = [];
  let before: string | undefined;
  for (const one of ones) {
    const event = one.eventName === null ? '' : `event ${one.eventName} ${one.event ?? ''}, `;
    lines.push(wrap(`${event}${shownContact(one, reveal)}, ${utc(one.at)}`, width, '  '));
    const words = wordsOf(one, one.code, reveal);
    // Mostly they are the same for all.
    if (words !== before && words !== '') lines.push(wrap(words, width, '    '));
    before = words;
  }
  const total = causes.reduce((sum, { count: n }) => sum + n, 0);
  const more = total - ones.length;
  return [
    ...causes.map((cause) => renderCause(cause, page).slice(2)),
    '',
    ...lines,
    ...(more > 0 ? [`  and ${more.toLocaleString('en-US')} more: --limit ${total}`] : []),
  ].join('\n');
}

/** What was made due again at a destination. */
export function renderRetried(name: string, { contacts, readAgain, events, unmapped }: Retried, width: number): string {
  const parts = [
    ...(contacts > 0 ? [`${count(contacts, 'contact')} to be sent as they are now`] : []),
    ...(readAgain > 0 ? [`${count(readAgain, 'contact')} to be read and mapped again`] : []),
    ...(events > 0 ? [`${count(events, 'event')} to be sent again`] : []),
  ];
  const lines = parts.length === 0 ? [] : [`${name}: ${parts.join(', ')}.`];
  if (unmapped > 0)
    lines.push(`${name}: ${count(unmapped, 'event')} could not be mapped, so there is nothing to send.`);
  return lines.map((line) => wrap(line, width)).join('\n');
}
