import { LONGEST_ADDRESS } from './address.ts';
import type { InboundFact, InboundReading } from './inbound.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { isPresent } from './opt-out.ts';
import { readJson } from './wire.ts';

/** What one event of a body says: a fact, nothing of consent (undefined), or what is wrong with it. */
export type EventReading = InboundFact | undefined | { readonly problem: string };

/** Reads a body that is one event, or several in an array. */
export function readOneOrMany(body: string, read: (event: JsonObject) => EventReading): InboundReading {
  const values = jsonOrLines(body);
  if (values === undefined) return { ok: false, problem: 'the body is no JSON' };
  const [first] = values;
  const events = values.length === 1 && Array.isArray(first) ? first : values;
  return readEvents(events, read, (n) => (events.length === 1 ? 'the event' : `[${n}]`));
}

/** Reads the events of a body one by one; one that is wrong refuses them all, as half of a body must never count. */
export function readEvents(
  events: readonly Json[],
  read: (event: JsonObject) => EventReading,
  place: (n: number) => string,
): InboundReading {
  const facts: InboundFact[] = [];
  for (const [n, event] of events.entries()) {
    const found = isJsonObject(event) ? read(event) : { problem: 'is no object' };
    if (found === undefined) continue;
    const problem = 'problem' in found ? found.problem : isText(found.id) ? undefined : 'has an id that is no text';
    if ('problem' in found || problem !== undefined) return { ok: false, problem: `${place(n)} ${problem}` };
    facts.push(found);
  }
  return { ok: true, facts };
}

/** Whether a database can hold it. */
function isText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\u0000');
}

/** JSON, or JSON Lines; undefined when it is neither. */
export function jsonOrLines(body: string): readonly Json[] | undefined {
  const whole = readJson(body);
  if (whole !== undefined) return [whole];
  const lines = body.split('\n').filter((line) => line.trim() !== '');
  const values = lines.flatMap((line) => readJson(line) ?? []);
  return lines.length === 0 || values.length !== lines.length ? undefined : values;
}

/** An address that mail could go to, by its form alone; undefined for anything else. */
export function addressIn(value: Json | undefined): string | undefined {
  if (typeof value !== 'string' || !isPresent(value.trim()) || value.length > LONGEST_ADDRESS) return undefined;
  return /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(value.trim()) && value.isWellFormed() ? value.trim() : undefined;
}
