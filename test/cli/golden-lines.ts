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
    again: true,
    before: (stage) =>
      stage.write('wrong.yaml', 'enviroment: test\ndestinations:\n  mailtrap: { api_token: "${NOT_SET}" }\n'),
  },
  { command: 'config schema', kind: 'success', line: 'config schema', first: 6 },
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
  { command: 'deploy edge', kind: 'failure', line: 'deploy edge --folder rollcall.yaml' },
  { command: 'deploy sql', kind: 'failure', line: 'deploy sql' },
  { command: 'preview', kind: 'empty', line: 'preview users' },
  { command: 'preview', kind: 'failure', line: 'preview nowhere', again: true },
  { command: 'plan', kind: 'failure', line: 'plan --config nowhere.yaml' },
  { command: 'why', kind: 'failure', line: 'why ann@example.com' },
  { command: 'segments', kind: 'empty', line: 'segments', again: true },
  { command: 'segments', kind: 'failure', line: 'segments --config nowhere.yaml' },
  { command: 'segments preview', kind: 'failure', line: 'segments preview nobody', again: true },
  { command: 'test', kind: 'failure', line: 'test' },
  { command: 'connectors test', kind: 'failure', line: 'connectors test supabase', again: true },
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
  { command: 'plan', kind: 'empty', line: 'plan', again: true },
  { command: 'why', kind: 'empty', line: 'why nobody@example.com', again: true },
  { command: 'segments preview', kind: 'empty', line: 'segments preview --filter "email=eq.nobody@example.com"' },
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
  { command: 'tail', kind: 'empty', line: 'tail', until: /Following/ },
  { command: 'recover', kind: 'empty', line: 'recover' },
  { command: 'rebind', kind: 'empty', line: 'rebind' },
  { command: 'start', kind: 'success', line: 'start --no-health', until: /worker started/ },
  // Ann signs up; then somebody whose address is refused.
  {
    command: 'logs',
    kind: 'success',
    line: 'logs --outcome delivered,reject',
    again: true,
    before: async (stage) => {
      await stage.swept();
      await stage.signUp('ann');
      await stage.deliver();
      stage.refuse('carl');
      await stage.signUp('carl');
      await stage.deliver();
    },
  },
  { command: 'tail', kind: 'success', line: 'tail --since 1h', until: /c\*\*\*@/ },
  { command: 'why', kind: 'success', line: 'why ann@example.com' },
  { command: 'preview', kind: 'success', line: 'preview users --limit 1' },
  { command: 'segments preview', kind: 'success', line: 'segments preview --filter "email=like.a*"' },
  {
    command: 'segments',
    kind: 'success',
    line: 'segments --config segments.yaml',
    before: (stage) => stage.write('segments.yaml', SEGMENTS),
  },
  { command: 'plan', kind: 'success', line: 'plan --config segments.yaml' },
  { command: 'status', kind: 'success', line: 'status', again: true },
  { command: 'doctor', kind: 'success', line: 'doctor', again: true },
  { command: 'doctor', kind: 'failure', line: 'doctor --config nowhere.yaml', again: true },
  { command: 'failures list', kind: 'success', line: 'failures list', again: true },
  { command: 'failures list', kind: 'failure', line: 'failures list --destination brevo', again: true },
  { command: 'failures show', kind: 'success', line: 'failures show invalid_email', again: true },
  { command: 'failures show', kind: 'failure', line: 'failures show invalid_phone', again: true },
  { command: 'failures drop', kind: 'failure', line: 'failures drop', again: true },
  { command: 'failures drop', kind: 'success', line: 'failures drop --yes' },
  { command: 'failures retry', kind: 'failure', line: 'failures retry --contact carl', again: true },
  { command: 'failures retry', kind: 'success', line: 'failures retry --cause invalid_email' },
  { command: 'export', kind: 'success', line: 'export ann@example.com', first: 4 },
  { command: 'export', kind: 'empty', line: 'export nobody@example.com' },
  { command: 'audit', kind: 'success', line: 'audit', before: (stage) => stage.deliver() },
  { command: 'adopt', kind: 'success', line: 'adopt' },
  {
    command: 'sweep',
    kind: 'success',
    line: 'sweep',
    before: async (stage) => {
      await stage.db.app.query('set session_replication_role = replica');
      await stage.signUp('dora', 'emil');
      await stage.db.app.query('set session_replication_role = origin');
    },
  },
  { command: 'sync', kind: 'success', line: 'sync --full', before: (stage) => stage.deliver() },
  {
    command: 'resume',
    kind: 'success',
    line: 'resume mailtrap',
    before: (stage) =>
      stage.sql(
        "update rollcall.destinations set pause_code = 'unauthorized', pauses = 1, paused_since = now(), paused_until = 'infinity'",
      ),
  },
  { command: 'resume', kind: 'failure', line: 'resume brevo', again: true },
  // Twelve leave at once.
  {
    command: 'release',
    kind: 'success',
    line: 'release --deletes 12',
    before: async (stage) => {
      await stage.signUp(...Array.from({ length: 12 }, (_, n) => `visitor${n}`));
      await stage.deliver();
      await stage.sql("delete from auth.users where email like 'visitor%'");
      await stage.deliver();
    },
  },
  { command: 'release', kind: 'failure', line: 'release --deletes many', again: true },
  { command: 'erase', kind: 'success', line: 'erase ann@example.com --yes --no-wait' },
  // As after a restore, and as in a copy.
  {
    command: 'recover',
    kind: 'success',
    line: 'recover --yes',
    before: async (stage) => {
      await stage.deliver();
      await stage.sql(`update rollcall.install set identity = identity || '{"timeline": "0000FFFF"}'`);
    },
  },
  {
    command: 'rebind',
    kind: 'success',
    line: 'rebind --yes',
    before: (stage) =>
      stage.sql(`update rollcall.install set identity = identity || '{"database": "elsewhere", "oids": [1]}'`),
  },
  { command: 'uninstall', kind: 'failure', line: 'uninstall' },
  { command: 'uninstall', kind: 'success', line: 'uninstall --yes' },
  // What needs no database.
  { command: 'alerts test', kind: 'failure', line: 'alerts test', again: true },
  { command: 'sandbox', kind: 'success', line: 'sandbox --port 0 --only mailtrap', until: /Ctrl-C/ },
  { command: 'sandbox', kind: 'failure', line: 'sandbox --fault status=abc', again: true },
  { command: 'demo', kind: 'failure', line: 'demo --users 1.5', again: true },
  { command: 'completion', kind: 'success', line: 'completion bash', again: true },
  { command: 'completion', kind: 'failure', line: 'completion tcsh', again: true },
  { command: 'help', kind: 'success', line: 'help brakes', again: true },
  { command: 'help', kind: 'empty', line: 'help', again: true },
  { command: 'help', kind: 'failure', line: 'help RC_NOTHING', again: true },
];

/** A config that would put some on a list. */
const SEGMENTS = `database_url: "\${DATABASE_URL}"
environment: test
connectors:
  supabase:
    user_mapping:
      email: email
      user_metadata.full_name: { to: FIRSTNAME, transform: trim }
      unconfirmed: true
destinations:
  mailtrap:
    api_token: "\${MAILTRAP_TOKEN}"
    base_url: "\${BASE_URL}"
    limits_scale: 10000
segments:
  with_an_a: { filter: email=like.a*, list: With an A }
consent: { everyone: "they agreed to the terms" }
`;

const NOTHING = 'it does its work or fails';

/** What has no golden line, and why. */
export const WITHOUT: Readonly<Record<string, string>> = {
  'init: empty': NOTHING,
  'config schema: empty': NOTHING,
  'deploy edge: empty': NOTHING,
  'deploy sql: empty': NOTHING,
  'start: empty': NOTHING,
  'test: success': 'project.test.ts, with a project',
  'test: empty': NOTHING,
  'connectors test: success': 'project.test.ts, with a project',
  'connectors test: empty': NOTHING,
  'alerts test: success': 'alerts.test.ts, with a receiver',
  'alerts test: empty': NOTHING,
  'sandbox: empty': NOTHING,
  'completion: empty': NOTHING,
  'demo: success': 'it makes a Postgres of its own: .ci/run',
  'demo: empty': NOTHING,
};
