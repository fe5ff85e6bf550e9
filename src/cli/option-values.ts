import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../config/duration.ts';
import { momentOf } from '../config/moment.ts';

/** @throws InvalidArgumentError unless the text is a port; 0 means a free one */
export function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError('A port is a number from 0 to 65535.');
}

/** @throws InvalidArgumentError unless the text is a number above zero */
export function positiveNumber(text: string): number {
  const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (number > 0 && Number.isFinite(number)) return number;
  throw new InvalidArgumentError('It must be a number above zero.');
}

/** @throws InvalidArgumentError unless the text is a whole number above zero */
export function wholeNumber(text: string): number {
  const number = positiveNumber(text);
  if (Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError('It must be a whole number above zero.');
}

/** Collects an option that may be given several times. */
export function repeatable(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** @throws InvalidArgumentError unless the text is ids with commas between them */
export function idList(text: string): readonly string[] {
  const ids = text.split(',').map((id) => id.trim());
  if (ids.every((id) => /^[a-z][a-z0-9-]*$/.test(id))) return ids;
  throw new InvalidArgumentError('It must be ids with commas between, for example mailtrap,brevo.');
}

/** @throws InvalidArgumentError unless the text is an age such as `10m`, or a time; returns ISO 8601 to the microsecond */
export function timeOrAge(text: string): string {
  const age = parseDuration(text);
  const at = momentOf(age === undefined ? text : new Date(Date.now() - age));
  if (at === undefined) {
    throw new InvalidArgumentError('It must be an age such as 10m, 2h or 3d, or a time such as 2026-01-31T12:00Z.');
  }
  // As long as the database writes it, so that they compare as texts.
  const exact = /\.(\d{6})(?:Z|[+-]00:?00)$/.exec(text)?.[1];
  return at.toISOString().replace(/\.(\d{3})Z$/, (_, millis: string) => `.${exact ?? `${millis}000`}Z`);
}

/** @throws InvalidArgumentError unless the text is some of these words with commas between them */
export function wordsOf(known: readonly string[]): (text: string) => readonly string[] {
  return (text) => {
    const words = text.split(',').map((word) => word.trim());
    if (words.every((word) => known.includes(word))) return words;
    throw new InvalidArgumentError(`It must be some of ${known.join(', ')}, with commas between.`);
  };
}
