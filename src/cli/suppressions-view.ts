import type { ReadSuppressions } from '../engine/read-suppressions.ts';
import { wrap } from './layout.ts';

/** A warning when a destination did not tell who must not be mailed; nothing when it did, or has no way to. */
export function suppressionLines(suppressions: ReadSuppressions | undefined, width: number): readonly string[] {
  if (suppressions?.refused === undefined) return [];
  const words = `warning: its suppressions were not read, so an opt-out that its export does not show is not known here. ${suppressions.refused} Give a key that may read them.`;
  return [wrap(words, width, '  ')];
}
