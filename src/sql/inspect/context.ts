import type { Config } from '../../config/types.ts';
import { quote } from '../../config/quote.ts';
import { closest } from '../../config/suggest.ts';
import type { MappingPlace } from '../../core/mapping.ts';
import { type Place, RollcallError } from '../../core/errors.ts';
import type { Queryable, Script } from '../port.ts';
import type { SourceWarning } from '../source.ts';

/** What all parts of an inspection share. */
export interface Inspection {
  /** A transaction whose search_path is empty. */
  readonly tx: Queryable & Script;
  readonly config: Config;
  readonly warnings: SourceWarning[];
}

/** How many names a hint lists. */
const LISTED = 12;

/** An error with its place in the config. */
export function refusal(
  { config }: Pick<Inspection, 'config'>,
  place: MappingPlace,
  code: string,
  message: string,
  hint?: string,
): RollcallError {
  return new RollcallError(code, message, { hint, place: placeOf(config, place) });
}

/** The place of an entry, with its file. */
export function placeOf(config: Config, { path, line, column }: MappingPlace): Place {
  return { file: config.file, path, line, column };
}

/** The place of something inside an entry, which has no line of its own. */
export function inside(place: MappingPlace, key: string): MappingPlace {
  return { path: `${place.path}.${key}`, line: place.line, column: place.column };
}

/** The name that was meant, else some of those there are; undefined when there are none. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const near = closest(word, names);
  if (near !== undefined) return `Did you mean ${quote(near)}?`;
  return names.length === 0 ? undefined : `There are: ${listed(names)}.`;
}

/** Names for a message, the first few of them. */
export function listed(names: readonly string[]): string {
  const more = names.length - LISTED;
  return names.slice(0, LISTED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
