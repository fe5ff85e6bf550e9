import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { codesOf } from '../../src/cli/error-codes.ts';
import { TOPICS } from '../../src/cli/help-topics.ts';
import { COMMANDS } from '../../src/cli/program.ts';
import { rollcall, tempFile } from './run-cli.ts';

const root = new URL('../../', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8');

describe('rollcall help <topic>', () => {
  test.each(TOPICS)('$name: its page, its examples and its commands are there', async ({ name, text, more }) => {
    const { code, stdout } = await rollcall(['help', name]);
    expect(code).toBe(0);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(stdout.endsWith(`More: ${more}\n`)).toBe(true);
    for (const [page] of more.matchAll(/[\w/-]+\.md/g)) expect(read(page)).not.toBe('');
    const known = COMMANDS.map((command) => command.name);
    for (const [, command] of text.matchAll(/rollcall ([a-z]+)/g)) expect(known).toContain(command);
    for (const yaml of configsOf(text)) {
      const rest = yaml.includes('consent:') ? '' : 'consent: nobody\n';
      const file = await tempFile(
        'rollcall.yaml',
        `environment: test\n${yaml}${rest}`.replace(/^environment: test\n(?=environment)/, ''),
      );
      const env = { DATABASE_URL: 'postgres://localhost/x', MAILTRAP_TOKEN: '0123456789abcdef' };
      const checked = await rollcall(['config', 'check', '--offline', '--config', file], { env });
      expect({ yaml, ...checked }).toMatchObject({ code: 0, stderr: '' });
    }
  });

  test('RC_..: every code of the page of errors, as it stands there', async () => {
    expect(codesOf(read('docs/errors.md')).size).toBeGreaterThan(80);
    expect(await rollcall(['help', 'rc_brake'])).toEqual({
      code: 0,
      stderr: '',
      stdout: `RC_BRAKE
  means   more contacts leave or change within an hour than the config's
          \`brakes\` let pass; they are held, all others go on
  to do   restore what went wrong, or \`rollcall release --deletes N\`, \`--changes
          N\`
`,
    });
  });

  test('something else, with what is near', async () => {
    expect(await rollcall(['help', 'consnt'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error RC_HELP_UNKNOWN: There is no command, topic or code "consnt".\n  Did you mean consent?\n',
    });
    expect((await rollcall(['help', 'RC_NOTHING'])).stderr).toContain('`rollcall help` lists what there is.');
  });

  test('of a command within another', async () => {
    const [help, own] = [await rollcall(['help', 'failures', 'show']), await rollcall(['failures', 'show', '--help'])];
    expect(help.stdout).toBe(own.stdout);
  });
});

/** Examples of a config, each a block of lines set in by two that begins with a key of the file. */
function configsOf(text: string): string[] {
  return text
    .split('\n\n')
    .filter((block) => /^ {2}(?:database_url|connectors|destinations|environment|consent): ?/.test(block))
    .flatMap((block) => (/^(?: {2}consent: .*\n?)+$/.test(block) ? block.split('\n') : [block]))
    .map((block) => `${block.replaceAll(/^ {2}/gm, '')}\n`);
}
