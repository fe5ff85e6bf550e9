import { describe, expect, test } from 'vitest';
import { rollcall, tempFile } from './run-cli.ts';

const ESCAPE = '\u001b[';

describe('help', () => {
  test('rollcall --help lists the commands in the order of their use', async () => {
    const { code, stdout } = await rollcall(['--help']);
    expect(code).toBe(0);
    expect(stdout).toBe(`Usage: rollcall [options] [command]

Keeps an email platform in step with a Supabase project.

Options:
  -c, --config <file>  the config file (default: "rollcall.yaml")
  --env-file <file>    read environment variables from a file; those already set
                       win
  --version            print the version
  -h, --help           show help

Commands:
  init                 write a rollcall.yaml
  config               check the config, or print its JSON Schema
  preview              show what the config makes of a row
  test                 ask project, database and destinations, live
  connectors           ask a connector alone
  plan                 see what apply and the next sync would do
  apply                install or update the database side
  adopt                take over what a destination has already
  start                run a worker
  deploy               run inside the project, without a server
  sync                 bring in everybody who is there already
  sweep                find what triggers have missed
  status               show what is in step and what is not
  why                  tell the whole story of one person
  doctor               find what is wrong, and how to mend it
  failures             show what failed and why; try it again, or drop it
  tail                 watch deliveries as they happen
  logs                 show past deliveries and notices
  segments             show who is on which list, and who would be
  resume               try a paused destination now
  release              let out what a brake holds
  alerts               see whether alerts arrive
  audit                compare with what destinations really have
  export               show all that is held about one person
  erase                erase a person everywhere, for good
  recover              take a restored database into use
  rebind               let this copy of a database send
  uninstall            remove everything from the database
  sandbox              run local stand-ins of the destinations
  completion           complete commands in your shell
  demo                 see it all work on this machine
  help                 show help for a command, a topic or an error

Examples:
  $ rollcall init
  $ rollcall apply && rollcall start
  $ rollcall demo

`);
  });

  test('help <command> is the same as <command> --help', async () => {
    expect((await rollcall(['help', 'status'])).stdout).toBe((await rollcall(['status', '--help'])).stdout);
  });

  test('no command at all shows the help on standard error and fails', async () => {
    const ran = await rollcall([]);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain('Usage: rollcall');
  });
});

test('--version is that of the package', async () => {
  const ran = await rollcall(['--version']);
  expect(ran.code).toBe(0);
  expect(ran.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

describe('what is not understood', () => {
  test.each([
    [['aply'], "error RC_USAGE: unknown command 'aply'\n  Did you mean apply?\n  See `rollcall --help`.\n"],
    [
      ['status', '--jsn'],
      "error RC_USAGE: unknown option '--jsn'\n  Did you mean --json?\n  See `rollcall status --help`.\n",
    ],
    [
      ['sandbox', '--port', '70000'],
      "error RC_USAGE: option '--port <n>' argument '70000' is invalid. A port is a number from 0 to 65535.\n  See `rollcall sandbox --help`.\n",
    ],
    [
      ['demo', '--users', '1.5'],
      "error RC_USAGE: option '--users <n>' argument '1.5' is invalid. It must be a whole number above zero.\n  See `rollcall demo --help`.\n",
    ],
    [
      ['apply', 'now'],
      "error RC_USAGE: too many arguments for 'apply'. Expected 0 arguments but got 1.\n  See `rollcall apply --help`.\n",
    ],
  ])('%j', async (argv, stderr) => {
    expect(await rollcall(argv)).toEqual({ code: 2, stdout: '', stderr });
  });
});

describe('errors', () => {
  test('a missing config says what to do', async () => {
    expect(await rollcall(['status', '--config', '/nowhere/rollcall.yaml'])).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'error RC_CONFIG_NOT_FOUND: there is no file /nowhere/rollcall.yaml\n  Run `rollcall init` to write one, or name another with --config.\n',
    });
  });

  test('a missing --env-file', async () => {
    const file = await tempFile('rollcall.yaml', 'consent: nobody\n');
    expect(await rollcall(['config', 'check', '--config', file, '--env-file', '/nowhere/.env'])).toEqual({
      code: 1,
      stdout: '',
      stderr:
        "error RC_ENV_FILE: The file of --env-file can't be read: /nowhere/.env (ENOENT)\n  Give the path of a file with lines like NAME=value.\n",
    });
  });

  test('a database that is not there, without its password', async () => {
    const file = await tempFile('rollcall.yaml', 'database_url: ${DATABASE_URL}\n');
    const env = { DATABASE_URL: 'postgres://someone:hunter2secret@127.0.0.1:1/postgres' };
    for (const command of ['status', 'apply', 'start', 'sweep', 'release', 'rebind', 'uninstall']) {
      const ran = await rollcall([command, '--config', file], { env });
      expect(ran.code).toBe(1);
      expect(ran.stderr).toContain("error RC_DATABASE_UNREACHABLE: The database at 127.0.0.1:1 can't be reached");
      expect(ran.stdout + ran.stderr).not.toContain('hunter2secret');
      expect(ran.stderr).not.toMatch(/^ +at .*\.[jt]s/m);
    }
  });

  test.each(['start', 'sweep', 'status', 'release', 'rebind', 'apply', 'uninstall'])(
    '%s with a URL that is none says so and does not show it',
    async (command) => {
      const file = await tempFile('rollcall.yaml', 'database_url: ${DATABASE_URL}\n');
      const ran = await rollcall([command, '--config', file], { env: { DATABASE_URL: 'postgres://u:hunter2@h:x/d' } });
      expect(ran.code).toBe(1);
      expect(ran.stderr).toContain('error RC_DATABASE_URL: The database URL is not a Postgres URL.');
      expect(ran.stdout + ran.stderr).not.toContain('hunter2');
    },
  );
});

describe('colours', () => {
  const argv = ['status', '--config', '/nowhere.yaml'];

  test('on a terminal', async () => {
    expect((await rollcall(argv, { tty: true })).stderr).toContain(`${ESCAPE}31merror`);
  });

  test('not in a pipe, not with NO_COLOR, not on a dumb terminal', async () => {
    expect((await rollcall(argv)).stderr).not.toContain(ESCAPE);
    expect((await rollcall(argv, { tty: true, env: { NO_COLOR: '1' } })).stderr).not.toContain(ESCAPE);
    expect((await rollcall(argv, { tty: true, env: { TERM: 'dumb' } })).stderr).not.toContain(ESCAPE);
    expect((await rollcall(argv, { tty: true, env: { NO_COLOR: '' } })).stderr).toContain(ESCAPE);
  });
});

test('--env-file is read, and what is set already wins', async () => {
  const env = await tempFile(
    '.env',
    'DATABASE_URL=postgres://localhost/x\nENVIRONMENT=from-file\nSECOND="from file"\n',
  );
  const file = await tempFile(
    'rollcall.yaml',
    'database_url: ${DATABASE_URL}\nenvironment: ${ENVIRONMENT}-${SECOND}\n',
  );
  const ran = await rollcall(['config', 'check', '--json', '--config', file, '--env-file', env], {
    env: { ENVIRONMENT: 'from-shell' },
  });
  expect(JSON.parse(ran.stdout)).toMatchObject({ ok: true, environment: 'from-shell-from file' });
});

test('a .env that just lies there is not read', async () => {
  const file = await tempFile('.env', 'ENVIRONMENT=from-file\n');
  const config = file.replace(/\.env$/, 'rollcall.yaml');
  const { writeFile } = await import('node:fs/promises');
  await writeFile(config, 'environment: ${ENVIRONMENT}\n');
  const ran = await rollcall(['config', 'check', '--config', config]);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain('the environment variable ENVIRONMENT is not set');
});
