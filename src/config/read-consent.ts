import type { ConsentBasis } from '../core/mapping.ts';
import { parseColumn } from './column-path.ts';
import { checkKeys, readText, wrongType } from './fields.ts';
import type { Issues } from './issues.ts';
import { quote } from './quote.ts';
import { suggestion } from './suggest.ts';
import { type Entry, isNothing, type MapNode } from './tree.ts';

const CONSENT_KEYS: readonly string[] = ['column', 'everyone'];

/** The three things `consent` can say, for every message about it. */
export const CONSENT_CHOICES =
  'Say one: {column: user_metadata.marketing_opt_in} (people for whom it is true), {everyone: "<the stated basis>"}, or nobody (until an opt-in).';

/** Reads `consent:`. Undefined when absent or wrong (which is reported). There is no default. */
export function readConsent(entry: Entry | undefined, issues: Issues): ConsentBasis | undefined {
  if (entry === undefined || isNothing(entry.value)) return undefined;
  const node = entry.value;
  if (node.kind === 'scalar' && typeof node.value === 'string') {
    if (node.value === 'nobody') return { kind: 'nobody' };
    if (node.value === 'everyone') {
      const hint = 'For example {everyone: "customers, soft opt-in at checkout"}.';
      issues.error('RC_CONFIG_CONSENT', 'everyone needs a stated basis', node, hint);
      return undefined;
    }
    const shown = node.fromEnv ? 'the value of its environment variable' : quote(node.value);
    const near = node.fromEnv ? '' : `${suggestion(node.value, ['nobody', 'everyone', 'column'])} `;
    issues.error('RC_CONFIG_CONSENT', `consent can't be ${shown}`, node, `${near}${CONSENT_CHOICES}`);
    return undefined;
  }
  if (node.kind !== 'map') {
    wrongType(node, 'nobody, {column: …} or {everyone: …}', issues, CONSENT_CHOICES);
    return undefined;
  }
  checkKeys(node, CONSENT_KEYS, issues);
  const column = node.entries.get('column');
  const everyone = node.entries.get('everyone');
  if (column !== undefined && everyone !== undefined) {
    issues.error('RC_CONFIG_CONSENT', 'consent says two things', everyone, CONSENT_CHOICES);
    return undefined;
  }
  if (everyone !== undefined) return readEveryone(everyone, issues);
  return column === undefined ? nothingSaid(node, issues) : readColumn(column, issues);
}

function nothingSaid(node: MapNode, issues: Issues): undefined {
  if (node.entries.size === 0) issues.error('RC_CONFIG_CONSENT', 'consent says nothing', node, CONSENT_CHOICES);
}

function readEveryone(entry: Entry, issues: Issues): ConsentBasis | undefined {
  if (isNothing(entry.value)) {
    issues.error('RC_CONFIG_CONSENT', 'everyone needs a stated basis', entry, CONSENT_CHOICES);
    return undefined;
  }
  const basis = readText(entry, issues, 'the stated basis, as text');
  return basis === undefined ? undefined : { kind: 'everyone', basis: basis.trim() };
}

function readColumn(entry: Entry, issues: Issues): ConsentBasis | undefined {
  if (isNothing(entry.value)) {
    issues.error('RC_CONFIG_CONSENT', 'the column is missing', entry, CONSENT_CHOICES);
    return undefined;
  }
  const text = readText(entry, issues, 'a column or a metadata path');
  if (text === undefined) return undefined;
  const column = parseColumn(text);
  if (!column.ok) {
    issues.error(column.code, column.message, entry.value, column.hint);
    return undefined;
  }
  if (column.type === 'json' && column.path.length === 1) {
    const message = `${quote(text)} holds many values: name the one that says yes`;
    const hint = `For example ${column.path[0]}.marketing_opt_in.`;
    issues.error('RC_CONFIG_COLUMN_PATH', message, entry.value, hint);
    return undefined;
  }
  return { kind: 'column', path: column.path, ...entry.value.at };
}
