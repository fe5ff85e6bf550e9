import { count } from '../layout.ts';
import { type Check, type Finding, ok, warn } from './finding.ts';
import { catches, fullName, isWebhook, recipeTriggers } from './recipes.ts';
import { type ForeignTrigger, readForeignTriggers } from './trigger-facts.ts';

/** Where a trigger that fails stops what a person does: signing up, or uploading a file. */
const WATCHED: ReadonlyMap<string, string> = new Map([
  ['auth.users', 'sign-ups'],
  ['storage.objects', 'uploads'],
]);

const SENDS = /\bnet\.http_\w+|\bhttp_(?:post|get|put|patch|delete)\b|\bhttp\s*\(/i;
const BLOCKS = /\bextensions\.http\w*\s*\(|(?<!net\.)\bhttp_(?:get|post|put|patch|delete)\s*\(/i;

/** Triggers of others on the tables that people write by what they do: what in them can break that. A recipe's have their own check. */
export const otherTriggers: Check<readonly ForeignTrigger[]> = {
  area: 'other triggers',
  async read({ sql }) {
    return (await readForeignTriggers(sql)).filter(({ table }) => WATCHED.has(table));
  },
  judge(found) {
    const known = recipeTriggers(found).map(({ trigger }) => trigger);
    const atWork = found.filter((each) => each.enabled && !each.silenced && !known.includes(each));
    const findings = atWork.flatMap((trigger) => risks(trigger, WATCHED.get(trigger.table) ?? ''));
    return findings.length > 0
      ? findings
      : [ok(`${count(atWork.length, 'trigger')} of others, and none that can break sign-ups`)];
  },
};

/** What can go wrong in one. A Database Webhook has its own check. */
function risks(trigger: ForeignTrigger, what: string): readonly Finding[] {
  if (isWebhook(trigger) || !['plpgsql', 'sql'].includes(trigger.language)) return [];
  const { function: name, owner, body } = trigger;
  const of = `${fullName(trigger)} runs ${name}() of ${owner}`;
  const text = [body, ...trigger.callees].join('\n');
  const findings: Finding[] = [];
  if (!trigger.definer) {
    findings.push(
      warn(
        'RC_TRIGGER_INVOKER',
        `${of} with the rights of whoever writes: ${what} fail as soon as it needs a right that Supabase's own role lacks.`,
        `alter function ${name}() security definer set search_path = '';  -- with every table in it named by its schema`,
      ),
    );
  } else if (!trigger.searchPath) {
    findings.push(
      warn(
        'RC_TRIGGER_SEARCH_PATH',
        `${of} as SECURITY DEFINER without a search_path of its own: it takes tables, and functions, from where the writer's session says.`,
        `alter function ${name}() set search_path = '';  -- with every table in it named by its schema`,
      ),
    );
  }
  if (!catches(body)) {
    findings.push(
      warn(
        'RC_TRIGGER_CAN_FAIL',
        `${of} without an exception block: ${what} fail with it ("Database error saving new user").`,
        `Write its body anew as: begin ... exception when others then raise warning '%', sqlerrm; return new; end`,
      ),
    );
  }
  if (SENDS.test(text)) {
    const waits = BLOCKS.test(text);
    findings.push(
      warn(
        'RC_TRIGGER_HTTP',
        waits
          ? `${of}, which waits for an answer over HTTP inside the transaction: ${what} are as slow as whom it asks, and fail with it.`
          : `${of}, which sends over HTTP from inside the transaction: what is lost is lost, and each write pays for it.`,
        'Let Rollcall send it (an attribute, an event, or a destination of type webhook), and drop the trigger.',
      ),
    );
  }
  return findings;
}
