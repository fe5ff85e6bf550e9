import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { registry } from '../destinations/registry.ts';
import { edgeFiles, FUNCTION_NAME } from '../homes/edge/files.ts';
import { resolveConfig } from '../homes/resolve-options.ts';
import { EDGE_SCRIPT } from '../sql/edge-script.ts';
import { planDatabase } from './apply-plan.ts';
import type { Cli } from './cli.ts';
import { checkNoSecrets } from './deploy-secrets.ts';
import { edgeNextSteps } from './deploy-edge-view.ts';
import { examples } from './examples.ts';
import { widthOf } from './io.ts';
import { checkHome } from './home-destinations.ts';
import { loadConfig } from './load-config.ts';
import { writeMigration } from './migration-file.ts';
import { withFunction } from './supabase-toml.ts';
import { version } from './version.ts';
import { withDatabase } from './with-database.ts';
import { needsDatabase, RUN_A_WORKER } from './with-project.ts';

interface Options {
  readonly print?: boolean | undefined;
  readonly folder: string;
}

/** `rollcall deploy edge`: the Edge Function, its settings, and the migration that installs everything and wakes it. */
export function defineDeployEdge(command: Command, cli: Cli): void {
  command
    .summary('as an Edge Function')
    .description(
      'Writes the Edge Function that delivers, and a migration with the install of `rollcall apply` and the cron job that wakes it. Reads the database, and changes nothing in it.',
    )
    .option('--print', 'print all of it instead, and write nothing')
    .option('--folder <path>', "the project's `supabase` folder", 'supabase')
    .addHelpText(
      'after',
      examples(
        'rollcall deploy edge',
        'rollcall deploy edge --print',
        'supabase db push && supabase functions deploy rollcall',
      ),
    );
  cli.action(command, runDeployEdge);
}

async function runDeployEdge({ print, folder }: Options, cli: Cli): Promise<number> {
  const config = await loadConfig(cli);
  needsDatabase(config, 'That home runs in', RUN_A_WORKER);
  checkHome(config, 'edge');
  const text = await readFile(cli.globals.config, 'utf8');
  checkNoSecrets(config, text);
  const sslRootCert = config.sslRootCert === undefined ? undefined : await textOf(config.sslRootCert);
  const types = [...new Set(config.destinations.map(({ type }) => type))];
  const files = Object.entries(edgeFiles({ config: text, types, version: version(), sslRootCert }));
  const migration = await withDatabase(config, async (sql) => {
    const { config: resolved } = await resolveConfig(config, sql, registry);
    return `${(await planDatabase(sql, resolved)).script}\n${EDGE_SCRIPT}\n`;
  });
  const functions = join(folder, 'functions', FUNCTION_NAME);
  const toml = join(folder, 'config.toml');
  const settings = await textOf(toml);
  const wanted = withFunction(settings ?? '', FUNCTION_NAME);
  if (print === true) {
    const all = [...files.map(([name, content]) => [join(functions, name), content] as const), [toml, wanted] as const];
    for (const [path, content] of all) cli.say(`# ${path}`, content.trimEnd(), '');
    cli.say(`-- ${join(folder, 'migrations', '<time>_rollcall_edge.sql')}`, migration.trimEnd());
    return 0;
  }
  await mkdir(functions, { recursive: true });
  const written: string[] = [];
  const write = async (path: string, content: string): Promise<void> => {
    if ((await textOf(path)) === content) return;
    await writeFile(path, content);
    written.push(path);
  };
  for (const [name, content] of files) await write(join(functions, name), content);
  await write(toml, wanted);
  const file = await writeMigration(folder, 'rollcall_edge', migration, new Date());
  if (file.written) written.push(file.path);
  if (config.erasure.export !== undefined) {
    cli.note(
      'What outlives a restore (erasure.export) is written by a worker only: run one now and then, or read docs/edge.md.',
    );
  }
  for (const path of written) cli.say(`${cli.paint('green', 'Wrote')} ${path}`);
  if (written.length === 0) cli.say('All of it is as it shall be already: nothing was written.');
  cli.say('', ...edgeNextSteps(text, widthOf(cli.io.stdout)));
  return 0;
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
