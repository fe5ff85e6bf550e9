import { createRequire } from 'node:module';
import { join } from 'node:path';
import { RollcallError } from '../core/errors.ts';

/** The name is a variable, as the package need not be there to compile or to run the library. */
const PACKAGE = '@supabase/supabase-js';

/** How to reach a project. */
export interface ProjectAccess {
  readonly url: string | undefined;
  readonly key: string | undefined;
  /** Sends in place of the platform's own `fetch`. */
  readonly fetch: typeof fetch | undefined;
}

/**
 * A client of supabase-js for a project, from the package that the app has: nothing of it is wrapped.
 * @throws RollcallError `RC_SUPABASE_JS` where it is not installed, `RC_NOT_CONNECTED` where the project is not known
 */
export function supabaseClient({ url, key, fetch }: ProjectAccess): unknown {
  if (url === undefined || key === undefined) {
    throw new RollcallError(
      'RC_NOT_CONNECTED',
      `The ${url === undefined ? 'URL' : 'key'} of the Supabase project is not known.`,
      {
        hint: "Call connectors.connect('supabase', { projectUrl, serviceRoleKey }) first, or set SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY.",
      },
    );
  }
  const { createClient } = load();
  return createClient(url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    ...(fetch === undefined ? {} : { global: { fetch } }),
  });
}

type CreateClient = (url: string, key: string, options: object) => unknown;

/** From beside this package, where an optional peer is put, else from where the app runs. */
function load(): { readonly createClient: CreateClient } {
  const bases = [import.meta.url, join(process.cwd(), 'package.json')];
  for (const base of bases) {
    try {
      return createRequire(base)(PACKAGE) as { createClient: CreateClient };
    } catch (cause) {
      if ((cause as { code?: unknown }).code !== 'MODULE_NOT_FOUND') throw cause;
    }
  }
  throw new RollcallError(
    'RC_SUPABASE_JS',
    'rollcall.supabase is a client of supabase-js, and that is not installed.',
    {
      hint: 'Run `npm install @supabase/supabase-js`.',
    },
  );
}
