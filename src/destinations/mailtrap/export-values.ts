import type { AttributePlan } from '../../core/destination.ts';
import type { RemoteRow } from '../../core/exports.ts';
import type { JsonObject } from '../../core/json.ts';
import { sameValue } from '../../core/same-value.ts';
import type { MailtrapConfig } from './config.ts';
import { fieldValues } from './values.ts';

/** See `Comparing.differs`. */
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
      return !sameValue(value, row.fields[name] ?? '', type);
    })
    .map(([name]) => name);
}
