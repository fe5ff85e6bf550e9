import type { Stage } from './golden-stage.ts';

/** For tests: a line that is typed, and whose answer is a golden file's. */
export interface GoldenLine {
  /** The command it is of, with its own subcommand: `failures show`. */
  readonly command: string;
  readonly kind: 'success' | 'empty' | 'failure';
  /** Without the word `rollcall`. */
  readonly line: string;
  /** What is done before. */
  readonly before?: (stage: Stage) => Promise<void>;
  /** It runs until Ctrl-C, which comes when it has said this. */
  readonly until?: RegExp;
  /** It changes nothing, so it is typed once more on a terminal: with colours, and with NO_COLOR. */
  readonly again?: boolean;
  /** So many lines of it are enough. */
  readonly first?: number;
}

/**
 * All golden lines, in the order in which they are typed: in one folder, over one database, which begins without an install.
 * A new command adds its lines where the database is as it needs it, runs the test with `-u`, and reads the file that this makes.
 */
export const LINES: readonly GoldenLine[] = [
  // Nothing is installed.
  { command: 'init', kind: 'success', line: 'init --consent nobody --output new.yaml' },
  { command: 'init', kind: 'failure', line: 'init --consent nobody' },
  { command: 'config check', kind: 'success', line: 'config check', again: true },
  {
    command: 'config check',
    kind: 'empty',
    line: 'config check --config least.yaml',
    before: (stage) => stage.write('least.yaml', 'environment: test\n'),
  },
  {
    command: 'config check',
    kind: 'failure',
    line: 'config check --config wrong.yaml',
    before: (stage) =>
      stage.write('wrong.yaml', 'enviroment: test\ndestinations:\n  mailtrap: { api_token: "${NOT_SET}" }\n'),
  },
  { command: 'config schema', kind: 'success', line: 'config schema', first: 6, again: true },
  { command: 'config schema', kind: 'failure', line: 'config schema --jsn' },
  { command: 'doctor', kind: 'empty', line: 'doctor' },
  { command: 'status', kind: 'failure', line: 'status' },
  { command: 'start', kind: 'failure', line: 'start --no-health' },
  { command: 'sweep', kind: 'failure', line: 'sweep' },
  { command: 'sync', kind: 'failure', line: 'sync --full' },
  { command: 'tail', kind: 'failure', line: 'tail' },
  { command: 'logs', kind: 'failure', line: 'logs --since yesterday' },
  { command: 'audit', kind: 'failure', line: 'audit' },
  { command: 'adopt', kind: 'failure', line: 'adopt --destination brevo' },
  { command: 'export', kind: 'failure', line: 'export ann@example.com' },
  { command: 'recover', kind: 'failure', line: 'recover' },
  { command: 'rebind', kind: 'failure', line: 'rebind' },
  { command: 'uninstall', kind: 'empty', line: 'uninstall' },
  { command: 'deploy edge', kind: 'success', line: 'deploy edge' },
  { command: 'deploy edge', kind: 'failure', line: 'deploy edge --folder nowhere' },
  { command: 'deploy sql', kind: 'failure', line: 'deploy sql' },
  {
    command: 'deploy sql',
    kind: 'success',
    line: 'deploy sql --config vault.yaml',
    before: (stage) =>
      stage.write(
        'vault.yaml',
        'database_url: "${DATABASE_URL}"\nenvironment: test\ndestinations:\n  mailtrap: { api_token: "${vault:mailtrap_token}" }\nconsent: nobody\n',
      ),
  },
  { command: 'apply', kind: 'failure', line: 'apply' },
  { command: 'apply', kind: 'success', line: 'apply --yes' },
  // Installed, and nobody is there.
  { command: 'apply', kind: 'empty', line: 'apply --yes' },
  { command: 'adopt', kind: 'empty', line: 'adopt --yes' },
  { command: 'status', kind: 'empty', line: 'status', again: true },
  { command: 'sync', kind: 'empty', line: 'sync --full' },
  { command: 'sweep', kind: 'empty', line: 'sweep' },
  { command: 'failures list', kind: 'empty', line: 'failures list', again: true },
  { command: 'failures show', kind: 'empty', line: 'failures show invalid_email' },
  { command: 'failures retry', kind: 'empty', line: 'failures retry' },
  { command: 'failures drop', kind: 'empty', line: 'failures drop --yes' },
  { command: 'logs', kind: 'empty', line: 'logs --outcome delivered', again: true },
  { command: 'resume', kind: 'empty', line: 'resume', again: true },
  { command: 'release', kind: 'empty', line: 'release', again: true },
  { command: 'audit', kind: 'empty', line: 'audit' },
  { command: 'erase', kind: 'empty', line: 'erase --list', again: true },
  { command: 'erase', kind: 'failure', line: 'erase nobody@example.com --yes' },
  // Ann and Bob sign up, and so does somebody whose address is refused.
  {
    command: 'start',
    kind: 'success',
    line: 'start --no-health',
    until: /worker started/,
    before: async (stage) => {
      await stage.signUp('ann', 'bob', 'carl');
      await stage.sandbox.addFaults([
        { match: { email: 'carl@example.com' }, status: 422, body: '{"errors":{"email":["is invalid"]}}' },
      ] as never);
    },
  },
];

/** What has no golden line, and why. */
export const WITHOUT: Readonly<Record<string, string>> = {};
