import { quoteIdent } from '../../sql/quote.ts';
import { count } from '../layout.ts';
import { type Check, error, type Finding, ok, warn } from './finding.ts';
import { fullName, isWebhook } from './recipes.ts';
import { type ForeignTrigger, readForeignTriggers } from './trigger-facts.ts';

/** Names of headers, and of parameters in the query, whose value opens something. */
const SECRET = /authorization|api[-_]?key|secret|token|password|signature/i;

/** Database Webhooks: what they give away. */
export const webhooks: Check<readonly ForeignTrigger[]> = {
  area: 'webhooks',
  async read({ sql }) {
    return (await readForeignTriggers(sql)).filter((trigger) => isWebhook(trigger) && trigger.enabled);
  },
  judge(found) {
    const findings = found.filter(({ silenced }) => !silenced).flatMap(leaks);
    return findings.length > 0
      ? findings
      : [ok(`${count(found.length, 'Database Webhook')}, and none gives a secret away`)];
  },
};

function leaks(trigger: ForeignTrigger): readonly Finding[] {
  const name = fullName(trigger);
  const findings: Finding[] = [];
  if (trigger.table === 'auth.users') {
    findings.push(
      error(
        'RC_WEBHOOK_LEAKS_HASHES',
        `The Database Webhook ${name} posts whole rows of auth.users, with password hashes and tokens.`,
        `drop trigger ${quoteIdent(trigger.name)} on auth.users;  -- or \`rollcall adopt --recipe --trigger ${name}\`, which switches it off once Rollcall has taken over`,
      ),
    );
  }
  if (holdsSecret(trigger.args)) {
    findings.push(
      warn(
        'RC_WEBHOOK_SECRET',
        `The Database Webhook ${name} has a key in its definition, which every role of this database can read.`,
        'Let its receiver check a key that opens nothing else, and change this one; then drop the webhook or write it anew.',
      ),
    );
  }
  return findings;
}

/** Headers and parameters are the third and fourth argument, as JSON; whoever wrote something else wrote no header. */
function holdsSecret(args: readonly string[]): boolean {
  return args.slice(2, 4).some((text) => {
    try {
      const entries = Object.entries(JSON.parse(text) as object);
      return entries.some(([key, value]) => SECRET.test(key) && typeof value === 'string' && value !== '');
    } catch {
      return SECRET.test(text);
    }
  });
}
