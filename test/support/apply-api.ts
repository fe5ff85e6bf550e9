import type { Config } from '../../src/config/types.ts';
import type { Logger } from '../../src/engine/ports.ts';
import { clientOf, prepareMirror } from '../../src/sources/api/reader.ts';
import { applyInstall } from '../../src/sql/apply.ts';
import { refOf } from '../../src/sql/open-database.ts';
import type { Sql } from '../../src/sql/port.ts';
import { createUndiciSend } from '../../src/transport/undici.ts';
import type { ApiProject } from './api-project.ts';

/** The lines of `connectors.supabase` by which a project is read by its API. */
export function apiLines(project: Pick<ApiProject, 'url' | 'secretKey'>, stateUrl: string, poll = '150ms'): string {
  return `project_url: ${JSON.stringify(project.url)}\napi_key: ${project.secretKey}\nstate: ${JSON.stringify(stateUrl)}\npoll: ${poll}`;
}

/** What `rollcall apply` does with a state database. */
export async function applyApi(config: Config, sql: Sql): Promise<void> {
  const transport = createUndiciSend();
  try {
    const parts = { config, api: config.api!, sql, send: transport.send, log: SILENT };
    await prepareMirror(parts, clientOf(parts, new AbortController().signal, 1));
  } finally {
    await transport.close();
  }
  await applyInstall(sql, config, refOf(config));
}

const SILENT: Logger = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };
