import type { Command } from 'commander';
import { personUnknown } from '../sql/store/erase.ts';
import { contactsOf, pastDeliveries, pastNotices, type PastScope } from '../sql/store/past-deliveries.ts';
import type { Queryable } from '../sql/port.ts';
import type { Cli } from './cli.ts';
import { type DeliveryOptions, deliveryOptions } from './delivery-options.ts';
import { dayLine, deliveryDocument, renderDelivery } from './delivery-view.ts';
import { examples } from './examples.ts';
import { destinationsOf } from './failures-show.ts';
import { widthOf } from './io.ts';
import { hanging, wrap } from './layout.ts';
import { loadConfig } from './load-config.ts';
import { type LogsPage, pageOf } from './logs-page.ts';
import { noticeWords } from './notice-view.ts';
import { timeOrAge, wholeNumber } from './option-values.ts';
import { withDatabase } from './with-database.ts';

interface Options extends DeliveryOptions {
  readonly person?: string | undefined;
  /** ISO 8601 */
  readonly until?: string | undefined;
  readonly limit: number;
}

/** `rollcall logs`: what was tried and what came of it, and what happened as a whole. */
export function define(command: Command, cli: Cli): void {
  deliveryOptions(
    command
      .description(
        'Shows past deliveries and notices (alerts, pauses, backfills, sweeps), the newest last. Kept for a week; as it happens: `rollcall tail`.',
      )
      .option('--person <who>', "of one person alone: a user's id, an address, or a contact's number"),
    'not older than this (10m, 2h, 3d), or a time',
  )
    .option('--until <time>', 'older than this, or before a time', timeOrAge)
    .option('--limit <n>', 'lines of a page', wholeNumber, 50)
    .addHelpText(
      'after',
      examples(
        'rollcall logs',
        'rollcall logs --person ann@example.com',
        'rollcall logs --outcome reject --since 2h --limit 200',
      ),
    );
  cli.action(command, runLogs);
}

async function runLogs(options: Options, cli: Cli): Promise<number> {
  const config = await loadConfig(cli);
  const { page, names } = await withDatabase(config, async (sql) => {
    const known = await destinationsOf(sql, options.destination);
    return { page: await readPage(sql, options), names: known.map(({ name }) => name) };
  });
  const reveal = options.reveal === true;
  if (options.json === true) {
    for (const entry of page.entries) {
      const { at, kind } = entry;
      const shown =
        entry.kind === 'delivery'
          ? deliveryDocument(entry.line, reveal)
          : { notice: entry.notice.kind, subject: entry.notice.subject, words: noticeWords(entry.notice) };
      cli.say(JSON.stringify({ at, kind, ...shown }));
    }
  } else cli.say(renderPage(page, { names, reveal }, cli));
  if (page.before !== undefined) cli.note(`Older: the same with --until ${page.before}`);
  return 0;
}

/** @throws RollcallError `RC_PERSON_UNKNOWN` */
async function readPage(sql: Queryable, options: Options): Promise<LogsPage> {
  const { destination, outcome: outcomes, since, until, person, limit } = options;
  const contacts = person === undefined ? undefined : await contactsOf(sql, person);
  if (contacts?.length === 0) throw personUnknown();
  const scope: PastScope = { destination, outcomes, contacts, since, until };
  const lines = await pastDeliveries(sql, scope, limit);
  // They are about no person, and have no outcome.
  const notices = person === undefined && outcomes === undefined ? await pastNotices(sql, scope) : [];
  return pageOf(lines, notices, limit);
}

function renderPage(
  { entries }: LogsPage,
  { names, reveal }: { readonly names: readonly string[]; readonly reveal: boolean },
  { io, paint }: Cli,
): string {
  const width = widthOf(io.stdout);
  if (entries.length === 0) {
    return wrap(
      'Nothing was tried in that time. Lines are kept for a week; `rollcall status` says what is due.',
      width,
    );
  }
  const page = { width, paint, reveal, names };
  let before: string | undefined;
  return entries
    .flatMap((entry) => {
      const day = dayLine(entry.at, before, paint);
      before = entry.at;
      const text =
        entry.kind === 'delivery'
          ? renderDelivery(entry.line, page)
          : hanging(`${entry.at.slice(11, 19)}  `, noticeWords(entry.notice), width);
      return day === undefined ? [text] : [day, text];
    })
    .join('\n');
}
