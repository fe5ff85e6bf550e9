import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import type { Env } from '../config/interpolate.ts';
import { readConfig } from '../config/load.ts';
import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import { registry } from '../destinations/registry.ts';
import type { Cli } from './cli.ts';

/**
 * The config that the command line names. Variables come from the environment and from `--env-file`, never from a file that
 * just lies there.
 * @throws RollcallError, ConfigErrors
 */
export async function loadConfig(cli: Cli): Promise<Config> {
  return readConfig(cli.globals.config, await loadEnv(cli), registry);
}

/** @throws RollcallError `RC_ENV_FILE` */
async function loadEnv(cli: Cli): Promise<Env> {
  const { envFile } = cli.globals;
  if (envFile === undefined) return cli.io.env;
  let text: string;
  try {
    text = await readFile(envFile, 'utf8');
  } catch (cause) {
    const { code = 'error' } = cause as NodeJS.ErrnoException;
    throw new RollcallError('RC_ENV_FILE', `The file of --env-file can't be read: ${envFile} (${code})`, {
      hint: 'Give the path of a file with lines like NAME=value.',
      cause,
    });
  }
  return { ...parseEnv(text), ...cli.io.env };
}
