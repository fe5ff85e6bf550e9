import type { Command } from 'commander';
import type { Env } from '../config/interpolate.ts';
import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import type { Send } from '../engine/ports.ts';
import { pause } from '../engine/wake.ts';
import { createUndiciSend } from '../transport/undici.ts';
import type { Cli } from './cli.ts';
import { widthOf } from './io.ts';
import { count, hanging } from './layout.ts';
import { loadConfig } from './load-config.ts';
import type { Paint } from './paint.ts';
import { type Line, lookAtDelivery, lookAtProject, skipped } from './project/look.ts';
import type { Project } from './project/project.ts';
import { createProgress } from './progress.ts';

/** Where the Management API is, but for whoever says otherwise. */
const MANAGEMENT = 'https://api.supabase.com';

const NO_URL = 'Set project_url under connectors.supabase, or SUPABASE_URL.';
const NO_KEY = 'Set api_key under connectors.supabase, or SUPABASE_SECRET_KEY: a secret key from Settings, API Keys.';

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
  const lines: Line[] = [];
  const watching = {
    onStep: (area: string) => void (shown && progress.show(`Looking at ${area}`)),
    onLine: (line: Line) => void lines.push(line),
  };
  try {
    const project = projectOf(config, cli.io.env, transport.send);
    if ('missing' in project) {
      if (!whole)
        throw new RollcallError('RC_PROJECT_UNKNOWN', `The config names no ${project.missing}.`, {
          hint: project.hint,
        });
      lines.push(
        skipped('API', `The project's API was not asked, as the config names no ${project.missing}. ${project.hint}`),
      );
    } else await lookAtProject(project, watching);
    if (whole) await lookAtDelivery(config, transport.send, (ms) => pause(ms), watching);
    progress.done();
  } finally {
    progress.done();
    await transport.close();
  }
  const failed = lines.filter(({ state }) => state === 'failed').length;
  if (json === true) cli.json({ ok: failed === 0, lines });
  else cli.say(renderLines(lines, cli.paint, widthOf(cli.io.stdout)));
  return failed === 0 ? 0 : 1;
}

function projectOf(
  { projectUrl, apiKey }: Config,
  env: Env,
  send: Send,
): Project | { readonly missing: string; readonly hint: string } {
  if (projectUrl === undefined) return { missing: 'project_url', hint: NO_URL };
  if (apiKey === undefined) return { missing: 'api_key', hint: NO_KEY };
  const token = env['SUPABASE_ACCESS_TOKEN'] ?? '';
  const ref = new URL(projectUrl).hostname.split('.')[0] ?? '';
  const at = (env['SUPABASE_MANAGEMENT_URL'] || MANAGEMENT).replace(/\/+$/, '');
  return {
    url: projectUrl.replace(/\/+$/, ''),
    key: apiKey,
    send,
    management: token === '' ? undefined : { url: at, token, ref },
  };
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
