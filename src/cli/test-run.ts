import type { Command } from 'commander';
import { createUndiciSend } from '../transport/undici.ts';
import type { Cli } from './cli.ts';
import { widthOf } from './io.ts';
import { count, hanging } from './layout.ts';
import { loadConfig } from './load-config.ts';
import type { Paint } from './paint.ts';
import { isWell, readLines } from './project/lines.ts';
import type { Line } from './project/look.ts';
import { createProgress } from './progress.ts';

/** The options and the run that `rollcall test` and `rollcall connectors test` share. @param whole the database and the destinations too */
export function defineTest(command: Command, cli: Cli, whole: boolean): void {
  command.option('--json', 'print one JSON document');
  cli.action(command, (options: { readonly json?: boolean }) => runTest(options, cli, whole));
}

async function runTest({ json }: { readonly json?: boolean }, cli: Cli, whole: boolean): Promise<number> {
  const config = await loadConfig(cli);
  const transport = createUndiciSend();
  const progress = createProgress(cli.io.stderr);
  const shown = cli.io.stderr.isTTY === true && json !== true;
  let lines: readonly Line[];
  try {
    lines = await readLines({ config, env: cli.io.env, send: transport.send, whole }, (area) => {
      if (shown) progress.show(`Looking at ${area}`);
    });
  } finally {
    progress.done();
    await transport.close();
  }
  if (json === true) cli.json({ ok: isWell(lines), lines });
  else cli.say(renderLines(lines, cli.paint, widthOf(cli.io.stdout)));
  return isWell(lines) ? 0 : 1;
}

const MARKS = { ok: ['✓', 'green'], failed: ['✗', 'red'], skipped: ['-', 'dim'] } as const;

/** Pure. */
function renderLines(lines: readonly Line[], paint: Paint, width: number): string {
  const shown = lines.flatMap(({ state, code, what, fix }) => {
    const [mark, colour] = MARKS[state];
    const text = hanging(`${mark} `, code === null ? what : `${code}: ${what}`, width).replace(
      mark,
      paint(colour, mark),
    );
    // Not broken into lines: a statement is copied from here.
    return fix === null ? [text] : [text, `  ${fix}`];
  });
  const failed = lines.filter(({ state }) => state === 'failed').length;
  const sum = failed === 0 ? paint('green', 'All is well.') : paint('red', `${count(failed, 'thing')} to mend.`);
  return [...shown, '', sum].join('\n');
}
