import type { Command } from 'commander';
import { ConfigErrors } from '../config/config-errors.ts';
import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { widthOf } from './io.ts';
import { columns, count, wrap } from './layout.ts';
import { loadConfig } from './load-config.ts';
import type { Paint } from './paint.ts';
import { describeConsent, describeSource, summaryOf } from './summary.ts';

/** `rollcall config check`: every mistake at once, then the warnings, then what the config says. */
export function defineConfigCheck(command: Command, cli: Cli): void {
  command
    .summary('find mistakes in the config')
    .description('Loads the config and says what it means. Exit code 1 when it has mistakes.')
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples('rollcall config check', 'rollcall config check --config staging.yaml --json'));
  cli.action(command, async (options: { readonly json?: boolean }) => {
    if (options.json === true) return checkAsJson(cli);
    const config = await loadConfig(cli);
    cli.say(renderCheck(config, cli.paint, widthOf(cli.io.stdout)));
    return 0;
  });
}

async function checkAsJson(cli: Cli): Promise<number> {
  try {
    cli.json({ ok: true, ...summaryOf(await loadConfig(cli)) });
    return 0;
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    const all = error instanceof ConfigErrors ? error.errors : [error];
    cli.json({
      ok: false,
      errors: all.map(({ code, message, hint, place }) => ({
        code,
        message,
        hint: hint ?? null,
        place: place ?? null,
      })),
    });
    return 1;
  }
}

/** The text of `config check` for a config without mistakes. */
function renderCheck(config: Config, paint: Paint, width: number): string {
  const lines = renderWarnings(config, paint, width);
  const { attributes, address, where, unconfirmed } = config.userMapping;
  const names = config.destinations.map((d) => (d.name === d.type ? d.name : `${d.name} (${d.type})`));
  lines.push(
    `${paint('green', 'ok')} ${config.file}, environment ${config.environment}`,
    '',
    `destinations  ${names.length === 0 ? 'none: nothing is sent' : names.join(', ')}`,
  );
  if (!config.enabled || !config.users) lines.push('users         off: nothing is captured or sent');
  if (config.destinations.length > 0) {
    lines.push(wrap(`consent       ${describeConsent(config.consent)}`, width));
  }
  lines.push(`address       ${address.join('.')}${unconfirmed ? ', also unconfirmed ones' : ', once confirmed'}`);
  if (where !== undefined) lines.push(`only where    ${where.expression}`);
  lines.push('attributes');
  lines.push(
    attributes.length === 0
      ? '  none'
      : columns(
          attributes.map((a) => [describeSource(a), '->', a.name, a.type ?? '']),
          'llll',
        ),
  );
  return lines.join('\n');
}

/** The config's warnings as lines, with an empty line after them; nothing when there are none. */
export function renderWarnings(config: Config, paint: Paint, width: number): string[] {
  if (config.warnings.length === 0) return [];
  const lines = config.warnings.map((w) => {
    const text = wrap(`warning ${w.code}: ${config.file}:${w.line}:${w.column} ${w.message}`, width);
    return text.replace('warning', paint('yellow', 'warning'));
  });
  return [...lines, `${count(config.warnings.length, 'warning')}.`, ''];
}
