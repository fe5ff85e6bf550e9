import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { SCRIPTS } from '../../src/cli/completion-scripts.ts';
import { COMMANDS } from '../../src/cli/program.ts';
import { rollcall, tempFile } from './run-cli.ts';

/** The words that fit, without what they are. */
async function suggested(...words: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await rollcall(['completion', 'suggest', '--', ...words]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.split('\n').flatMap((line) => line.split('\t')[0] || []);
}

describe('completion suggest', () => {
  test('all commands of the table, with what they are', async () => {
    expect(await suggested('')).toEqual(COMMANDS.map(({ name }) => name));
    const { stdout } = await rollcall(['completion', 'suggest', '--', 'stat']);
    expect(stdout).toBe('status\tshow what is in step and what is not\n');
  });

  test.each([
    [
      ['failures', ''],
      ['list', 'show', 'retry', 'drop', 'help'],
    ],
    [['failures', 'show', '--r'], ['--reveal']],
    [['--config', 'x.yaml', 'status', '--j'], ['--json']],
    [['status', '--env'], ['--env-file']],
    [
      ['tail', '--outcome', 're'],
      ['retry', 'reject'],
    ],
    [
      ['tail', '--outcome=re'],
      ['--outcome=retry', '--outcome=reject'],
    ],
    [
      ['tail', '--outcome', '=', 're'],
      ['--outcome=retry', '--outcome=reject'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['tail', '--since', ''], []],
    [['--config', ''], [':files']],
    [['sandbox', '--state', 's'], [':files']],
    [['nothing', ''], []],
  ])('%j', async (words, fit) => {
    expect(await suggested(...words)).toEqual(fit);
  });

  test('destinations of the config that is named, though its variables are not set', async () => {
    const file = await tempFile(
      'other.yaml',
      'database_url: ${NOT_SET}\ndestinations: {mailtrap: {}, crm: {type: brevo}}\n',
    );
    expect(await suggested('-c', file, 'tail', '--destination', '')).toEqual(['mailtrap', 'crm']);
    expect(await suggested('-c', file, 'resume', 'c')).toEqual(['crm']);
    expect(await suggested('-c', '/nowhere.yaml', 'resume', '')).toEqual([]);
  });
});

describe('completion <shell>', () => {
  test('bash takes what is suggested', async () => {
    const { stdout } = await rollcall(['completion', 'bash']);
    // What \`rollcall\` suggests is held above; here it is what bash makes of it.
    const script = `${stdout}
      rollcall() { printf '%s\\n' "$*" >&2; printf 'mailtrap\\tdestination\\nmy crm\\tdestination\\n:files\\n'; }
      compopt() { files=yes; }
      COMP_WORDS=(rollcall tail --destination m); COMP_CWORD=3
      _rollcall
      printf '%s|' "\${COMPREPLY[@]}" "$files"`;
    expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' })).toBe('mailtrap|my crm|yes|');
  });

  test.each(Object.entries(SCRIPTS))('%s', async (shell, script) => {
    expect(await rollcall(['completion', shell])).toEqual({ code: 0, stdout: `${script}\n`, stderr: '' });
    expect(script).toContain('completion suggest -- ');
  });

  test('of a shell that is not known', async () => {
    const { code, stderr } = await rollcall(['completion', 'tcsh']);
    expect(code).toBe(2);
    expect(stderr).toContain('Allowed choices are bash, zsh, fish.');
  });
});
