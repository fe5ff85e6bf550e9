import { Command } from 'commander';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cli } from '../../src/cli/cli.ts';
import { COMMANDS } from '../../src/cli/program.ts';
import { type GoldenLine, LINES, WITHOUT } from './golden-lines.ts';
import { openStage, type Stage } from './golden-stage.ts';
import { type Ran, rollcall, type RunOptions } from './run-cli.ts';

/*
 * What every command says: its help, and what it answers when all is well, when there is nothing, and when it fails. One file a
 * command, in test/cli/goldens. They are typed one after the other over one database: see golden-lines.ts. To change what is there:
 *   npx vitest run test/cli/goldens.test.ts -u
 */

const KINDS = ['success', 'empty', 'failure'] as const;
const TERMINAL = { tty: true, columns: 80 } as const;
const answers = new Map<GoldenLine, Ran>();
/** On a terminal with NO_COLOR, and with colours. */
const onTerminal = new Map<GoldenLine, readonly [plain: Ran, coloured: Ran]>();
let stage: Stage;
/** They do something also without a word after them, or what follows is one thing with them. */
const BY_THEMSELVES: readonly string[] = ['segments', 'completion'];
const commands = await leaves();

beforeAll(async () => {
  stage = await openStage();
  for (const line of LINES) {
    await line.before?.(stage);
    answers.set(line, await typed(line));
    if (line.again !== true) continue;
    onTerminal.set(line, [await typed(line, { ...TERMINAL, env: { NO_COLOR: '1' } }), await typed(line, TERMINAL)]);
  }
}, 120_000);
afterAll(() => stage.end());

describe('every command of the table', () => {
  test('has a golden line of each kind, or a reason', () => {
    const missing = commands
      .flatMap((command) => KINDS.map((kind) => `${command}: ${kind}`))
      .filter(
        (what) => !LINES.some(({ command, kind }) => what === `${command}: ${kind}`) && WITHOUT[what] === undefined,
      );
    expect(missing).toEqual([]);
    expect(LINES.map(({ command }) => command).filter((command) => !commands.includes(command))).toEqual([]);
    expect(Object.keys(WITHOUT).filter((what) => !commands.includes(what.split(':')[0]!))).toEqual([]);
  });

  test.each(commands)('%s', async (command) => {
    const help = await rollcall([...command.split(' '), '--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toMatch(/Examples?:\n {2}\$ (?:eval "\$\()?rollcall /);
    expect(tooLong(help.stdout)).toEqual([]);
    expect(await rollcall([...command.split(' '), '--help'], TERMINAL)).toEqual(help);
    const lines = LINES.filter((line) => line.command === command);
    const blocks = lines.map((line) => block(line, answers.get(line)!));
    const golden = [`$ rollcall ${command} --help\n${help.stdout}`, ...blocks].join('\n');
    await expect(golden).toMatchFileSnapshot(`goldens/${command.replaceAll(' ', '-')}.txt`);
    for (const line of lines)
      if (!answers.get(line)!.stdout.startsWith('{')) expect(tooLong(answers.get(line)!.stdout)).toEqual([]);
  });
});

/** The same words wherever they are read. */
describe('on a terminal', () => {
  const again = LINES.filter((line) => line.again === true);

  test.each(again)('$line: the same, with colours; and without them by NO_COLOR', (line) => {
    const [plain, coloured] = onTerminal.get(line)!;
    const pipe = shape(answers.get(line)!);
    expect(shape(plain)).toEqual(pipe);
    expect(plain.stdout + withoutProgress(plain.stderr)).not.toContain('\u001B');
    expect(shape(coloured)).toEqual(pipe);
    expect(tooLong(plain.stdout + withoutProgress(plain.stderr))).toEqual([]);
  });

  test('what is wrong stands out', () => {
    const seen = again.map(
      (line) =>
        `$ rollcall ${line.line}\n${onTerminal.get(line)![1].stdout}${withoutProgress(onTerminal.get(line)![1].stderr)}`,
    );
    const coloured = seen.filter((text) => text.includes('\u001B'));
    return expect(stage.same(coloured.join('\n')).replaceAll('\u001B', 'ESC')).toMatchFileSnapshot(
      'goldens/on-a-terminal.txt',
    );
  });
});

/** Without line breaks, which are others for an error on a terminal, and without colours. */
function shape({ code, stdout, stderr }: Ran): object {
  const words = (text: string): string => stage.same(stripVTControlCharacters(text)).replaceAll(/\s+/g, ' ');
  return { code, stdout: words(stdout), stderr: words(withoutProgress(stderr)) };
}

/** Without the line that is written over and taken away. */
function withoutProgress(stderr: string): string {
  const [before = '', ...drawn] = stderr.split('\r\u001B[2K');
  return before + drawn.map((text) => text.replace(/^[^\r\n]*/, '')).join('');
}

async function typed({ line, until }: GoldenLine, options: RunOptions = {}): Promise<Ran> {
  if (until === undefined) return stage.type(line, options);
  const stop = new AbortController();
  let said = '';
  const hear = (text: string): void => {
    said += text;
    if (until.test(said)) stop.abort();
  };
  return stage.type(line, { ...options, stop: stop.signal, onStdout: hear, onStderr: hear });
}

function block({ kind, line, first }: GoldenLine, { code, stdout, stderr }: Ran): string {
  const lines = stdout.split('\n');
  const shown = first === undefined ? stdout : `${lines.slice(0, first).join('\n')}\n[and so on]\n`;
  const err = stderr === '' ? '' : `[standard error]\n${stderr}`;
  return `$ rollcall ${line}    # ${kind}\n${stage.same(shown + err)}[exit code ${code}]\n`;
}

/** Neither a long word can be broken, nor what is to be pasted, nor a line of a log. */
function tooLong(text: string): string[] {
  return text.split('\n').filter(
    (line) =>
      line.length > 80 &&
      line
        .trim()
        .split(/\s+/)
        .every((word) => word.length < 60),
  );
}

/** The commands of the table with those within them, without what is hidden. */
async function leaves(): Promise<string[]> {
  const io = { env: {}, stdout: process.stdout, stderr: process.stderr } as never;
  const found: string[] = [];
  for (const { name, load } of COMMANDS) {
    const command = new Command(name);
    (await load()).define(command, new Cli(io, () => ({ config: '' })));
    const inner = command
      .createHelp()
      .visibleCommands(command)
      .map((each) => each.name())
      .filter((each) => each !== 'help');
    if (inner.length === 0 || BY_THEMSELVES.includes(name)) found.push(name);
    if (name !== 'completion') found.push(...inner.map((each) => `${name} ${each}`));
  }
  return found;
}
