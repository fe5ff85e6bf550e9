import { InvalidArgumentError } from 'commander';

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
