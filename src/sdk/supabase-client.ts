import { createRequire } from 'node:module';
import { join } from 'node:path';
import { RollcallError } from '../core/errors.ts';

/** Neither need be there to compile or to run the library. */
const PACKAGE = '@supabase/supabase-js';
const SOCKETS = 'ws';

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
  if (!url || !key) {
    throw new RollcallError('RC_NOT_CONNECTED', `The ${url ? 'key' : 'URL'} of the Supabase project is not known.`, {
      hint: "Call connectors.connect('supabase', { projectUrl, serviceRoleKey }) first, or set SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY; what the config says is known once it is connected.",
    });
  }
  const { createClient } = (load(PACKAGE) as { readonly createClient: CreateClient } | undefined) ?? missing();
  return createClient(url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    ...(fetch === undefined ? {} : { global: { fetch } }),
    // Without one supabase-js refuses to be made, also where nobody listens to Realtime.
    ...('WebSocket' in globalThis ? {} : { realtime: { transport: load(SOCKETS) ?? NoSocket } }),
  });
}

type CreateClient = (url: string, key: string, options: object) => unknown;

/** Node has a WebSocket of its own from 22 on. */
function NoSocket(): never {
  throw new RollcallError('RC_SUPABASE_JS', 'This version of Node has no WebSocket, and Realtime needs one.', {
    hint: 'Use Node 22 or later, or run `npm install ws`.',
  });
}

/** From beside this package, where an optional peer is put, else from where the app runs; undefined where it is in neither. */
function load(name: string): unknown {
  for (const base of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      return createRequire(base)(name);
    } catch (cause) {
      if ((cause as { code?: unknown }).code !== 'MODULE_NOT_FOUND') throw cause;
    }
  }
  return undefined;
}

function missing(): never {
  throw new RollcallError(
    'RC_SUPABASE_JS',
    'rollcall.supabase is a client of supabase-js, and that is not installed.',
    {
      hint: 'Run `npm install @supabase/supabase-js`.',
    },
  );
}
