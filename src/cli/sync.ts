import { type Command, Option } from 'commander';
import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import { momentOf } from '../config/moment.ts';
import { registry } from '../destinations/registry.ts';
import type { Backfill, BackfillRequest } from '../engine/backfill-ports.ts';
import { leastSeconds } from '../engine/bulk-choice.ts';
import type { Store } from '../engine/ports.ts';
import { beginBackfill, type EndedBackfill, followBackfill } from '../homes/backfill.ts';
import { changesSent } from '../homes/changes-sent.ts';
import { configured } from '../homes/configured.ts';
import { runWorker } from '../homes/worker.ts';
import type { Sql } from '../sql/port.ts';
import { identityOf } from '../sql/store/identity.ts';
import { createStore } from '../sql/store/store.ts';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { exportCsv } from './export-csv.ts';
import { loadConfig } from './load-config.ts';
import { wholeNumber } from './option-values.ts';
import { createProgress } from './progress.ts';
import { stopSignal } from './stop-signal.ts';
import { renderProgress, renderSummary, summaryOf } from './sync-view.ts';
import { withProject } from './with-project.ts';

interface Options {
  readonly full?: boolean | undefined;
  readonly incremental?: boolean | undefined;
  readonly since?: string | undefined;
  readonly resource?: string | undefined;
  readonly limit?: number | undefined;
  readonly exportCsv?: string | undefined;
  readonly destination?: string | undefined;
  readonly json?: boolean | undefined;
}

/** `rollcall sync`: brings in everybody who is there already, quietly. */
export function define(command: Command, cli: Cli): void {
  command
    .description(
      'Brings in everybody who is there already: reads them page by page, and sends whoever is not in step. No events are made of them. Stopped or killed, it goes on from where it was; a running worker goes on with it too.',
    )
    .addOption(new Option('--full', 'everybody').conflicts('incremental'))
    .addOption(new Option('--incremental', 'whoever changed since a time'))
    .option('--since <time>', 'with --incremental: an ISO 8601 time, for example 2024-01-01T00:00:00Z')
    .option('--resource <name>', 'only `users`, or one table as schema.table')
    .option('--limit <n>', 'so many rows and no more: a canary', wholeNumber)
    .option('--export-csv <file>', 'write what would be imported into a file, and send nothing')
    .option('--destination <name>', 'with --export-csv: whose contacts, where there are several')
    .option('--json', 'print one JSON document at the end')
    .addHelpText(
      'after',
      examples(
        'rollcall sync --full --limit 100',
        'rollcall sync --full',
        'rollcall sync --incremental --since 2024-01-01T00:00:00Z --resource users',
        'rollcall sync --full --export-csv contacts.csv',
      ),
    );
  cli.action(command, runSync);
}

async function runSync(options: Options, cli: Cli): Promise<number> {
  const request = requestOf(options);
  const config = await loadConfig(cli);
  const { exportCsv: file } = options;
  const since = request.since === undefined ? undefined : { at: request.since };
  return await withProject(config, { what: 'everything', since }, cli, async (sql) => {
    const store = createStore(sql, identityOf(config));
    if (file !== undefined) {
      await exportCsv({ sql, store, config, file, request, destination: options.destination }, cli);
      return 0;
    }
    return await backfill({ config, sql, store, request, json: options.json === true }, cli);
  });
}

/** @throws RollcallError `RC_SYNC_WHAT`, `RC_SYNC_SINCE` */
function requestOf({ full, incremental, since, resource, limit }: Options): BackfillRequest {
  if (full !== true && incremental !== true) {
    throw new RollcallError('RC_SYNC_WHAT', 'It is not said what to sync.', {
      hint: '`--full` for everybody, or `--incremental --since <time>` for whoever changed since then.',
    });
  }
  const at = momentOf(since);
  if (incremental === true ? at === undefined : since !== undefined) {
    throw new RollcallError(
      'RC_SYNC_SINCE',
      since === undefined ? '`--since` is missing.' : `\`--since ${since}\` can't be used.`,
      {
        hint: '`--incremental` goes with `--since` and an ISO 8601 time, for example 2024-01-01T00:00:00Z; `--full` goes without.',
      },
    );
  }
  return {
    what: incremental === true ? 'incremental' : 'full',
    since: at?.toISOString(),
    resource:
      resource === undefined || resource === 'users' || resource.includes('.') ? resource : `public.${resource}`,
    most: limit,
  };
}

interface Parts {
  readonly config: Config;
  readonly sql: Sql;
  readonly store: Store;
  readonly request: BackfillRequest;
  readonly json: boolean;
}

async function backfill({ config, sql, store, request, json }: Parts, cli: Cli): Promise<number> {
  const run = await beginBackfill(store, request);
  if (run.scanned > 0) cli.note(`Going on after ${run.scanned.toLocaleString('en-US')} rows.`);
  const stop = stopSignal(cli.io);
  const over = new AbortController();
  const quit = (): void => over.abort();
  stop.signal.addEventListener('abort', quit, { once: true });
  const quiet = (): void => undefined;
  const say = (fields: object, message: string): void => cli.note(`${message} ${JSON.stringify(fields)}`);
  const log = { error: say, warn: say, info: quiet, debug: quiet };
  // What ends the helper ends us; it is looked at below.
  const helper = runWorker({ config, log, helper: true }, over.signal).finally(quit);
  helper.catch(quiet);
  const ended = await follow({ config, store, run, json }, cli, over.signal);
  if (ended !== undefined && config.api !== undefined) await changesSent(sql, over.signal);
  quit();
  await helper;
  stop.done();
  if (ended === undefined) {
    cli.note(
      'Stopped. What was read and sent stays; the same command goes on from there, and so does a running worker.',
    );
    return 130;
  }
  if (json) cli.json(summaryOf(ended));
  else cli.say(...renderSummary(ended));
  return 0;
}

/** Watches until everybody is delivered or refused; undefined when it was stopped. */
async function follow(
  { config, store, run, json }: Omit<Parts, 'request' | 'sql'> & { readonly run: Backfill },
  cli: Cli,
  signal: AbortSignal,
): Promise<EndedBackfill | undefined> {
  const progress = createProgress(cli.io.stderr, json);
  const began = { at: performance.now(), scanned: run.scanned };
  const byLimits = (name: string, contacts: number): number => {
    const found = configured(config, name, registry);
    return found === undefined ? 0 : leastSeconds(contacts, found.destination, found.options);
  };
  try {
    return await followBackfill(
      store,
      run,
      (now, pending) => {
        const view = { run: now, pending, leastSeconds: byLimits, began, now: performance.now() };
        progress.show(renderProgress(view));
      },
      signal,
    );
  } finally {
    progress.done();
  }
}
