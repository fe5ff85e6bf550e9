import { formatPlace, RollcallError } from '../core/errors.ts';

/** How many mistakes are shown with their line; the others are counted. */
export const MOST_EXPLAINED = 50;
const SHOWN_IN_MESSAGE = 20;

/** All mistakes of one configuration at once, in the order of the file. Holds no value of a secret or a variable. */
export class ConfigErrors extends RollcallError {
  readonly file: string;
  readonly errors: readonly RollcallError[];
  /** The lines the first errors stand on, 1-based, with every value masked that might be a secret. */
  readonly lines: ReadonlyMap<number, string>;

  constructor(file: string, errors: readonly RollcallError[], lines: ReadonlyMap<number, string>) {
    const listed = errors.slice(0, SHOWN_IN_MESSAGE).map((error) => `  ${formatPlace(error.place)} ${error.message}`);
    if (errors.length > SHOWN_IN_MESSAGE) listed.push(`  and ${errors.length - SHOWN_IN_MESSAGE} more`);
    super(
      'RC_CONFIG_INVALID',
      `${file} has ${errors.length === 1 ? 'a mistake' : `${errors.length} mistakes`}:\n${listed.join('\n')}`,
      { place: { file } },
    );
    this.file = file;
    this.errors = errors;
    this.lines = lines;
  }
}
