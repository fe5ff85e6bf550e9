import { maskAddress } from '../core/mask.ts';
import type { DeliveryLine } from '../sql/store/deliveries.ts';
import { shownWords } from './failure-words.ts';
import { cut, hanging } from './layout.ts';
import type { Paint, Style } from './paint.ts';

/** How lines are shown. */
export interface LinePage {
  readonly width: number;
  readonly paint: Paint;
  /** Whether personal data may be shown. */
  readonly reveal: boolean;
  /** Of the destinations that may appear, for the width of their column. */
  readonly names: readonly string[];
}

const COLOURS: Readonly<Record<string, Style>> = {
  delivered: 'green',
  retry: 'yellow',
  throttle: 'yellow',
  unknown: 'yellow',
  reject: 'red',
  config: 'red',
  dead: 'red',
  dropped: 'dim',
};

const [TIME, OUTCOME, MS] = [8, 9, 8];
const GAP = '  ';

/** The line of a day, where another one begins. @param before of the line above, if any */
export function dayLine(at: string, before: string | undefined, paint: Paint): string | undefined {
  const day = at.slice(0, 10);
  return day === before?.slice(0, 10) ? undefined : paint('dim', `${day} UTC`);
}

/** Who it is about, as it may be shown. */
export function shownWho({ contact, key, address }: DeliveryLine, reveal: boolean): string {
  const known = address ?? (key?.startsWith('email:') === true ? key.slice('email:'.length) : null);
  if (known !== null) return reveal ? known : maskAddress(known);
  return contact === null ? 'nobody known' : `contact ${contact}`;
}

/** Time, destination, who, what, outcome and duration in one line; below it what was answered, unless all is well. */
export function renderDelivery(line: DeliveryLine, page: LinePage): string {
  const { width, paint, reveal, names } = page;
  const named = Math.min(14, Math.max(...names.map((name) => name.length), 4));
  const left = Math.max(24, width - TIME - named - OUTCOME - MS - 5 * GAP.length);
  const what = Math.ceil(left / 2);
  const who = left - what;
  const colour = COLOURS[line.outcome];
  const outcome = line.outcome.padEnd(OUTCOME);
  const ms = line.latency_ms === null ? '' : `${line.latency_ms.toLocaleString('en-US')} ms`;
  const cells = [
    line.at.slice(11, 19),
    cut(line.destination, named).padEnd(named),
    cut(shownWho(line, reveal), who).padEnd(who),
    cut(whatOf(line), what).padEnd(what),
    colour === undefined ? outcome : paint(colour, outcome),
    ms.padStart(MS),
  ];
  const words = answerOf(line, reveal);
  const first = cells.join(GAP).trimEnd();
  return words === '' ? first : `${first}\n${hanging(' '.repeat(TIME + GAP.length), words, width)}`;
}

/** The action; of an event its name, where it is known. */
function whatOf({ action, event }: DeliveryLine): string {
  return event === null ? action : `event ${event}`;
}

/** The code and the words of whatever was not accepted. */
function answerOf(line: DeliveryLine, reveal: boolean): string {
  if (line.code === null) return '';
  const words = wordsOf(line, reveal);
  return words === '' ? line.code : `${line.code}: ${words}`;
}

function wordsOf(line: DeliveryLine, reveal: boolean): string {
  const { message, contact, event, key, address, payload, at } = line;
  if (message === null || reveal) return message ?? '';
  return shownWords({ message, contact, event, eventName: event, key, address, payload, at }, line.code ?? '');
}

/** One delivery as `--json` gives it. */
export function deliveryDocument(line: DeliveryLine, reveal: boolean): object {
  const { at, destination, contact, key, address, action, event, outcome, code, latency_ms: ms } = line;
  return {
    at,
    destination,
    contact,
    who: shownWho(line, reveal),
    action,
    event,
    outcome,
    code,
    words: wordsOf(line, reveal),
    ms,
    ...(reveal ? { key, address } : {}),
  };
}
