import { EDGE_URL_SECRET } from '../sql/functions/edge.ts';
import { FUNCTION_NAME } from '../homes/edge/files.ts';
import { wrap } from './layout.ts';

/** What is left for a person to do, in order. */
export function edgeNextSteps(config: string, width: number): readonly string[] {
  const names = secretNames(config);
  const secrets = names.length === 0 ? [] : [`supabase secrets set ${names.map((name) => `${name}=...`).join(' ')}`];
  return [
    'Next:',
    ...[...secrets, 'supabase db push', `supabase functions deploy ${FUNCTION_NAME}`, 'rollcall rebind'].map(
      (line) => `  ${line}`,
    ),
    `  select vault.create_secret('https://<ref>.supabase.co/functions/v1/${FUNCTION_NAME}', '${EDGE_URL_SECRET}');`,
    '',
    wrap(
      `The last one is for the SQL editor: it says where the function is, and nothing runs before it is said. \`select rollcall.wake_edge();\` tells what a wake-up comes to. Database Webhooks, Auth Hooks and secrets: docs/edge.md.`,
      width,
    ),
  ];
}

/** Read by the platform, or by nobody there. */
const GIVEN = /^(?:SUPABASE_|DATABASE_URL$)/;

/** The variables that a config reads and the platform does not set. */
function secretNames(config: string): readonly string[] {
  const uncommented = config.replaceAll(/^\s*#.*$/gm, '');
  const names = [...uncommented.matchAll(/(?<!\$)\$\{([A-Z_][A-Z0-9_]*)(?=\}|:-)/gi)].map(([, name = '']) => name);
  return [...new Set(names)].filter((name) => !GIVEN.test(name));
}
