import type { AttributePlan } from '../../core/destination.ts';
import type { RemoteRow } from '../../core/exports.ts';
import { type Json, type JsonObject, renderJson } from '../../core/json.ts';
import type { AttributeType } from '../../core/mapping.ts';
import type { MailtrapConfig } from './config.ts';
import { fieldValues } from './values.ts';

const WORDS: Readonly<Record<string, string>> = {
  t: 'true',
  yes: 'true',
  '1': 'true',
  f: 'false',
  no: 'false',
  '0': 'false',
};
const INTEGER = /^[+-]?\d+$/;
const DAY = /^\d{4}-\d{2}-\d{2}/;

/** A number's text without what says nothing: `5.0`, `5` and `+5` are one. Integers keep every digit. */
function number(text: string): string {
  if (INTEGER.test(text)) return BigInt(text).toString();
  const value = Number(text);
  if (text === '' || !Number.isFinite(value)) return text;
  return Number.isSafeInteger(value) ? BigInt(value).toString() : String(value);
}

/** A cell's text as the one form that equal values share. How the export writes numbers, yes and no is not documented. */
function canonical(text: string, type: AttributeType | undefined): string {
  // A CSV file may have turned the ends of lines.
  const whole = text.replaceAll(/\r\n?/g, '\n');
  const trimmed = whole.trim();
  switch (type) {
    case 'integer':
    case 'float':
      return number(trimmed);
    case 'boolean':
      return WORDS[trimmed.toLowerCase()] ?? trimmed.toLowerCase();
    case 'date':
    case 'timestamp':
      return DAY.test(trimmed) ? trimmed.slice(0, 10) : trimmed;
    case 'text':
    case 'json':
    case undefined:
      return whole;
    default:
      return type satisfies never;
  }
}

function rendered(value: Json): string {
  if (value === null) return '';
  return typeof value === 'string' ? value : renderJson(value);
}

/** See `ExportPlan.differs`. */
export function differs(
  attributes: JsonObject,
  row: RemoteRow,
  plan: AttributePlan,
  config: MailtrapConfig,
): readonly string[] {
  return Object.entries(fieldValues(attributes, plan, false, config))
    .filter(([name, value]) => {
      if (!Object.hasOwn(row.fields, name)) return false;
      const type = Object.hasOwn(plan, name) ? plan[name] : undefined;
      return canonical(rendered(value), type) !== canonical(row.fields[name] ?? '', type);
    })
    .map(([name]) => name);
}
