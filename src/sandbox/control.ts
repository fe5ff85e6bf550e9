import { Hono } from 'hono';
import * as z from 'zod';
import { RollcallError } from '../core/errors.ts';
import { renderJson, type Json } from '../core/json.ts';
import type { CallLog } from './call-log.ts';
import type { ChangeStreams } from './change-streams.ts';
import { readInput, readJson } from './control-input.ts';
import type { FaultBox } from './fault-box.ts';
import { faultRule, type FaultRule } from './faults.ts';
import { PAGE, PAGE_HEADERS } from './page/page.ts';
import { parseFault } from './parse-fault.ts';
import { bearerToken, secretCheck } from './secrets.ts';
import type { SandboxDestination } from './served.ts';
import { mountOptOuts } from './control-opt-outs.ts';
import { mountViews } from './control-views.ts';
import type { ConsentHistory } from './consent-history.ts';

export interface ControlParts {
  readonly controlKey: string;
  readonly destinations: readonly SandboxDestination[];
  readonly calls: CallLog;
  readonly faults: FaultBox;
  readonly history: ConsentHistory;
  readonly streams: ChangeStreams;
  readonly reset: () => void;
  readonly save: () => Json;
  /** @throws RollcallError `RC_SANDBOX_STATE` */
  readonly load: (state: Json) => void;
  readonly now: () => number;
}

/** Bytes of a saved state: what a string can hold, roughly. */
const MAX_STATE = 256 * 1024 * 1024;

/** One rule, or several, each as data or in its command line form. */
const faultsInput = z.union([
  z.strictObject({ rules: z.array(z.union([z.string(), faultRule])).min(1) }),
  z.strictObject({ rule: z.union([z.string(), faultRule]) }),
  faultRule.transform((rule) => ({ rule })),
]);

/** The page at `/` and the control API under `/_sandbox/`, which needs the control key. */
export function controlApp(parts: ControlParts): Hono {
  const app = new Hono();
  const isKey = secretCheck(parts.controlKey);

  app.get('/', (context) => context.body(PAGE, 200, PAGE_HEADERS));

  app.use('/_sandbox/*', async (context, next) => {
    if (!isKey(bearerToken(context.req.header('authorization')) ?? '')) {
      return context.json({ error: { code: 'RC_SANDBOX_KEY', message: 'The control key is missing or wrong.' } }, 401);
    }
    context.header('cache-control', 'no-store');
    return next();
  });

  app.get('/_sandbox/state', (context) =>
    context.body(renderJson(parts.save()), 200, { 'content-type': 'application/json; charset=utf-8' }),
  );
  app.put('/_sandbox/state', async (context) => {
    parts.load(await readJson(context, MAX_STATE));
    return context.body(null, 204);
  });
  app.get('/_sandbox/events', (context) =>
    context.body(parts.streams.open(), 200, {
      'content-type': 'application/x-ndjson; charset=utf-8',
      'x-content-type-options': 'nosniff',
    }),
  );
  app.get('/_sandbox/faults', (context) => context.json({ faults: parts.faults.list() }));
  app.post('/_sandbox/faults', async (context) => {
    const input = await readInput(context, faultsInput);
    const rules = 'rules' in input ? input.rules : [input.rule];
    parts.faults.add(rules.map((rule): FaultRule => (typeof rule === 'string' ? parseFault(rule) : rule)));
    return context.json({ faults: parts.faults.list() }, 201);
  });
  app.delete('/_sandbox/faults', (context) => {
    parts.faults.clear();
    return context.json({ faults: [] });
  });
  app.post('/_sandbox/reset', (context) => {
    parts.reset();
    return context.body(null, 204);
  });

  const find = (id: string): SandboxDestination => {
    const destination = parts.destinations.find((one) => one.id === id);
    if (destination !== undefined) return destination;
    throw new RollcallError('RC_SANDBOX_DESTINATION', `This sandbox does not serve "${id}".`);
  };
  mountViews(app, { ...parts, find });
  mountOptOuts(app, find, parts.now);

  app.notFound((context) =>
    context.json({ error: { code: 'RC_SANDBOX_PATH', message: 'No such control path.' } }, 404),
  );
  app.onError((error, context) => {
    const known = error instanceof RollcallError;
    const body = {
      code: known ? error.code : 'RC_SANDBOX_INTERNAL',
      message: known ? error.message : 'The sandbox failed at this request.',
      ...(known && error.hint !== undefined ? { hint: error.hint } : {}),
    };
    return context.json({ error: body }, known ? 400 : 500);
  });
  return app;
}
