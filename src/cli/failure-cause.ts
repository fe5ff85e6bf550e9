import { InvalidArgumentError } from 'commander';

/** A cause as it is written on a command line. */
export interface Cause {
  readonly code: string;
  readonly field?: string | undefined;
}

/** @throws InvalidArgumentError unless it is `code` or `code:field` */
export function readCause(text: string): Cause {
  const at = text.indexOf(':');
  const code = at === -1 ? text : text.slice(0, at);
  const field = at === -1 ? undefined : text.slice(at + 1);
  if (!/^\w{1,100}$/.test(code) || field === '') throw new InvalidArgumentError('A cause is a code, or code:field.');
  return { code, field };
}

/** @throws InvalidArgumentError unless it is a number */
export function readContact(text: string): string {
  if (/^[1-9]\d{0,17}$/.test(text)) return text;
  throw new InvalidArgumentError('It is a number: see `rollcall failures show`.');
}
