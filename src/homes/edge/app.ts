import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { fatalError } from '../../engine/fatal.ts';
import type { Logger } from '../../engine/ports.ts';
import { codeOf } from '../../engine/trouble.ts';
import { verifyStandard } from '../../inbound/standard-webhooks.ts';
import { mountReceivers } from '../../server/receivers.ts';
import { factStore } from '../../sql/store/facts.ts';
import type { Config } from '../../config/types.ts';
import { hintsByLog, mountDatabaseHook } from '../database-hook.ts';
import type { Callers } from './callers.ts';
import type { Homes } from './home.ts';
import type { Runs } from './runs.ts';

export interface AppParts {
  readonly config: Config;
  readonly homes: Homes;
  readonly callers: Callers;
  readonly runs: Runs;
  /** What Auth Hooks are signed with; none where they are not answered. */
  readonly hookSecrets: readonly string[];
  readonly log: Logger;
}

/** Most bytes of a body that is read: rows may be wide. */
const MOST_BYTES = 2 * 2 ** 20;
/** The paths of the recipe's functions, so that of a webhook that is there only the URL needs to be changed. */
const DATABASE_HOOKS = ['/hooks/database', '/create-contact', '/update-contact'];

/**
 * What the function answers, below its own name. Whoever is not known learns nothing: 401, and 404 for every other path. `GET /health`
 * says that it runs, and nothing else.
 */
export function edgeApp(parts: AppParts): Hono {
  const { config, homes, callers, runs, hookSecrets } = parts;
  const app = new Hono({ getPath: pathOf });
  const limit = bodyLimit({
    maxSize: MOST_BYTES,
    onError: (context) => context.json({ error: 'the body is too large' }, 413),
  });
  app.get('/health', (context) => context.json({ ok: true }));
  const tick = async (context: Context): Promise<Response> => {
    if (!(await callers.may(context.req.raw.headers, 'wake'))) return unauthorized(context);
    const done = runs.wake();
    // Where nobody keeps the isolate alive without a request, the request waits for the end.
    if (done === undefined) return context.json({ ok: true }, 202);
    const ran = await done;
    return 'problem' in ran ? context.json({ error: ran.problem }, 503) : context.json({ ok: true, ...ran });
  };
  app.post('/tick', tick);
  app.post('/', tick);
  const log = (keys: readonly string[]): Promise<unknown> =>
    homes.use(({ sql }) => sql.query('select rollcall.hint($1)', [keys]));
  const takeHint = hintsByLog(config, log);
  mountDatabaseHook(app, {
    paths: DATABASE_HOOKS,
    may: (headers) => callers.may(headers, 'hint'),
    async take(body) {
      const problem = await takeHint(body);
      // Without waiting for its end: a webhook is given a second.
      if (problem === undefined) void runs.wake();
      return problem;
    },
  });
  if (hookSecrets.length > 0) {
    app.post('/hooks/auth', limit, async (context) => {
      const request = { headers: context.req.raw.headers, body: await context.req.text() };
      const verdict = await verifyStandard(request, hookSecrets, Date.now());
      if (verdict !== 'proved') return unauthorized(context);
      // A sign-up waits for this answer, so nothing that could fail is done before it, and nothing is taken from it.
      queueMicrotask(() => void runs.wake());
      return context.json({});
    });
  }
  app.post('/webhooks/:destination', (context) =>
    homes.use(async (home) => {
      const { receivers } = await home.routes();
      await receivers.find(({ name }) => name === context.req.param('destination'))?.learn();
      const inner = new Hono({ getPath: pathOf });
      mountReceivers(inner, receivers, {
        store: factStore(home.sql, home.identity),
        observe: home.observe,
        log: parts.log,
        now: home.now,
      });
      const answer = await inner.fetch(context.req.raw);
      if (answer.status === 200) void runs.wake();
      return answer;
    }),
  );
  app.notFound((context) => context.json({ error: 'not found' }, 404));
  app.onError((error, context) => {
    parts.log.error({ code: fatalError(error)?.code ?? codeOf(error) }, 'a request could not be answered');
    return context.json({ error: 'not done; send it again later' }, 503);
  });
  return app;
}

/** The platform passes `/rollcall/tick` for `/functions/v1/rollcall/tick`: the function's own name is no part of ours. */
function pathOf(request: Request): string {
  const path = new URL(request.url).pathname.replace(/^\/functions\/v1(?=\/)/, '').replace(/^\/[^/]+/, '');
  return path === '' ? '/' : path.replace(/(.)\/$/, '$1');
}

function unauthorized(context: Context): Response {
  return context.json({ error: 'unauthorized' }, 401);
}
