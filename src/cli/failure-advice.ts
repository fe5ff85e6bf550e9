import { registry } from '../destinations/registry.ts';
import type { FailureCause } from '../sql/store/failures.ts';

/** What to do, by code. A destination whose codes say more has its own words: `Destination.advice`. */
const ADVICE: Readonly<Record<string, string>> = {
  gave_up:
    'It failed for all of `delivery.retry.window`. Once the destination works: `rollcall failures retry --cause gave_up`.',
  invalid_email: 'Correct the address where it comes from. It is then sent by itself.',
  invalid_field: 'Correct the value of {field}, or map it with another type or transform.',
  invalid_value:
    'The field {field} there has another type, and the value would be lost. Correct the value, or map it with the type of the field.',
  duplicate_value:
    'Another contact there has this value of {field}, which one alone may have. Correct one of them, or do not map it.',
  unknown_field:
    'Create the field {field} at the destination, or run `rollcall apply`, which makes fields that are missing.',
  too_large: 'One contact or event may have 128 KB. Map less of it.',
  invalid_event:
    'Correct the name or the properties of the event in the mapping. Those to come are then sent as they shall be.',
  invalid_property: 'Correct the property {field} in the mapping of the event.',
  unknown_not_repeated:
    'No answer came, and `events: at_most_once` does not ask again: it may have arrived. Look there before you retry it.',
  events_not_taken: 'This destination takes no events. Drop them.',
  RC_EVENT_COLUMN:
    'The row was captured before its event needed that column, so there is nothing to send. Drop them; those to come have it.',
  internal: 'A mistake of ours. Please report it, with the words above.',
};

const MAPPING =
  'A value does not fit the mapping. Correct the row, or the mapping (a transform with a default, another type), and run `rollcall apply`.';
const EVENT_MAPPING =
  'A value did not fit the mapping of the event, so there is nothing to send. Correct the mapping for those to come, and drop these.';
const OTHER =
  'Correct what it says, in the row, the mapping or at the destination. It is sent again when it changes, or by `rollcall failures retry`.';

/** What a person can do about a cause, in whole sentences. */
export function adviceFor({
  type,
  stage,
  code,
  field,
}: Pick<FailureCause, 'type' | 'stage' | 'code' | 'field'>): string {
  if (/^[0-9A-Z]{5}$/.test(code)) return stage === 'event' ? EVENT_MAPPING : MAPPING;
  const own = registry.find(({ id }) => id === type)?.advice;
  const advice = (own !== undefined && Object.hasOwn(own, code) ? own[code] : undefined) ?? known(code) ?? OTHER;
  return field === null ? advice.replaceAll(/ \{field\}/g, '') : advice.replaceAll('{field}', field);
}

function known(code: string): string | undefined {
  return Object.hasOwn(ADVICE, code) ? ADVICE[code] : undefined;
}
