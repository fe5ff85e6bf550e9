import { CREATABLE } from './destination-keys.ts';
import { isYesNo, readFlag, showText, wrongType } from './fields.ts';
import type { Issues } from './issues.ts';
import { suggestion } from './suggest.ts';
import { type Entry, isNothing } from './tree.ts';
import type { DestinationConfig } from './types.ts';

const FIELDS_ALONE: DestinationConfig['createMissing'] = { fields: true, lists: false };

/**
 * `create_missing` of a destination: a list of what `apply` creates there, or `true` for all of it and `false` for nothing.
 * Absent: fields alone. Mistakes go to `issues`.
 */
export function readCreateMissing(entry: Entry | undefined, issues: Issues): DestinationConfig['createMissing'] {
  if (entry === undefined || isNothing(entry.value)) return FIELDS_ALONE;
  const node = entry.value;
  if (node.kind === 'list') {
    const words = new Set<string>();
    for (const item of node.items) {
      const word = item.kind === 'scalar' && typeof item.value === 'string' ? item.value : undefined;
      if (word === undefined) {
        wrongType(item, CREATABLE.join(' or '), issues);
      } else if (!CREATABLE.some((known) => known === word)) {
        const hidden = item.kind === 'scalar' && item.fromEnv;
        const hint = hidden ? `Known here: ${CREATABLE.join(', ')}.` : suggestion(word, CREATABLE);
        issues.error('RC_CONFIG_VALUE', `nothing of the kind ${showText(word, item)} can be created`, item, hint);
      }
      words.add(word ?? '');
    }
    return { fields: words.has('fields'), lists: words.has('lists') };
  }
  const flag = node.kind === 'scalar' && (typeof node.value === 'boolean' || isYesNo(node));
  if (!flag) {
    wrongType(node, 'a list of what may be created, true or false', issues, 'For example [fields, lists].');
    return FIELDS_ALONE;
  }
  const all = readFlag(entry, true, issues);
  return { fields: all, lists: all };
}
