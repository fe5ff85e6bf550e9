import type { Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Config } from '../config/types.ts';
import { readWebhook } from '../inbound/database-webhook.ts';
import { hintOf } from '../sources/api/row-hint.ts';
import type { Reader } from '../sources/api/reader.ts';
import { readHint } from './edge/hint.ts';

/** What becomes of a Database Webhook. */
export interface DatabaseHook {
  readonly paths: readonly string[];
  /** Whether whoever calls may: their headers, with a compare that takes as long whatever differs. */
  readonly may: (headers: Headers) => Promise<boolean>;
  /** Takes a body. @returns what is wrong with it; undefined when it was taken */
  readonly take: (body: string) => Promise<string | undefined>;
}

/** Most bytes of a body that is read: rows may be wide. */
const MOST_BYTES = 2 * 2 ** 20;

/**
 * Answers Database Webhooks. They have no signature, no number and no time, come late, twice or not at all, so a body is a hint to read its
 * row again, and nothing of it is taken: a forged one changes nobody.
 */
export function mountDatabaseHook(app: Hono, { paths, may, take }: DatabaseHook): void {
  const limit = bodyLimit({
    maxSize: MOST_BYTES,
    onError: (context) => context.json({ error: 'the body is too large' }, 413),
  });
  const answer = async (context: Context): Promise<Response> => {
    if (!(await may(context.req.raw.headers))) return context.json({ error: 'unauthorized' }, 401);
    const problem = await take(await context.req.text());
    return problem === undefined ? context.json({ ok: true }, 202) : context.json({ error: problem }, 400);
  };
  for (const path of paths) app.post(path, limit, answer);
}

/** For a project that is read by its database: the keys of users go into the change log, as a trigger's would. */
export function hintsByLog(
  config: Pick<Config, 'tables' | 'eventTables'>,
  log: (keys: readonly string[]) => Promise<unknown>,
): DatabaseHook['take'] {
  return async (body) => {
    const hint = readHint(body, config);
    if (!hint.ok) return hint.problem;
    if (hint.keys.length > 0) await log(hint.keys);
    return undefined;
  };
}

/** For a project that is read by its API: the row is asked for again. */
export function hintsByApi(reader: Pick<Reader, 'hint' | 'keyOf'>): DatabaseHook['take'] {
  return (body) => {
    const read = readWebhook(body);
    if (!read.ok) return Promise.resolve(read.problem);
    const { schema, table, record, old_record: old } = read.webhook;
    const name = `${schema}.${table}`;
    if (reader.keyOf(name) === undefined) return Promise.resolve('the config names no such table');
    const rows = [record, old].filter((row) => row !== null);
    const hints = hintOf(name, rows, reader);
    if (hints.length > 0) reader.hint(hints);
    return Promise.resolve(undefined);
  };
}
