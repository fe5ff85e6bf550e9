import type { Command } from 'commander';
import { audit } from '../engine/audit.ts';
import { type AuditReport, hasDrift } from '../engine/audit-report.ts';
import { refOf } from '../sql/open-database.ts';
import { ask } from './ask.ts';
import { masked, renderAudit } from './audit-view.ts';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { widthOf } from './io.ts';
import { loadConfig } from './load-config.ts';
import { repeatable } from './option-values.ts';
import { withRemote } from './remote-session.ts';
import { reportError } from './report-error.ts';
import { stopSignal } from './stop-signal.ts';
import { withDatabase } from './with-database.ts';

interface Options {
  readonly repair?: boolean | undefined;
  readonly deleteExtra?: boolean | undefined;
  readonly destination?: readonly string[] | undefined;
  readonly showAddresses?: boolean | undefined;
  readonly yes?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** `rollcall audit`: what a destination really has, beside what it shall have. */
export function define(command: Command, cli: Cli): void {
  command
    .description(
      'Reads all contacts of the destinations and compares them with what shall be there. Exit code 1 when they differ and nothing is repaired.',
    )
    .option('--repair', 'send again what differs, record opt-outs given there')
    .option('--delete-extra', 'with --repair: also delete contacts there that Rollcall has never heard of')
    .option('--destination <name>', 'only this one; may be repeated', repeatable)
    .option('--show-addresses', 'show addresses in full')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples('rollcall audit', 'rollcall audit --repair --destination mailtrap'));
  cli.action(command, runAudit);
}

async function runAudit(options: Options, cli: Cli): Promise<number> {
  const repair = options.repair === true;
  const deleteExtra = repair && options.deleteExtra === true;
  const question = 'Contacts there that Rollcall has never heard of will be deleted. Go on?';
  if (deleteExtra && !(await ask(cli, question, options.yes))) return 1;
  const config = await loadConfig(cli);
  const stop = stopSignal(cli.io);
  try {
    return await withDatabase(config, async (sql) => {
      await sql.query('select rollcall.check_install($1, $2, $3)', [config.hash, refOf(config), config.environment]);
      const reports: AuditReport[] = [];
      let unread = 0;
      await withRemote({ cli, config, sql, names: options.destination }, async (sessions, _, problems) => {
        for (const { access, done } of sessions) {
          try {
            reports.push(await audit({ ...access, repair, deleteExtra }, stop.signal));
          } finally {
            done();
          }
        }
        for (const problem of problems.values()) await reportError(problem, cli.io);
        unread = problems.size;
      });
      return Math.max(report(reports, options, cli), Math.min(unread, 1));
    });
  } finally {
    stop.done();
  }
}

function report(found: readonly AuditReport[], options: Options, cli: Cli): number {
  const drift = found.some(hasDrift);
  const shown = found.map((each) => masked(each, options.showAddresses === true));
  if (options.json === true) cli.json({ drift, destinations: shown });
  else {
    const width = widthOf(cli.io.stdout);
    cli.say(shown.map((each) => renderAudit(each, width)).join('\n\n'));
    if (drift && options.repair !== true) cli.say('', 'To put this right: `rollcall audit --repair`');
  }
  return drift && options.repair !== true ? 1 : 0;
}
