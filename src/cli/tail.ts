import type { Command } from 'commander';
import { type Look, followDeliveries } from '../sql/store/follow-deliveries.ts';
import type { Cli } from './cli.ts';
import { type DeliveryOptions, deliveryOptions } from './delivery-options.ts';
import { dayLine, deliveryDocument, renderDelivery } from './delivery-view.ts';
import { examples } from './examples.ts';
import { destinationsOf } from './failures-show.ts';
import { widthOf } from './io.ts';
import { loadConfig } from './load-config.ts';
import { lookUntil } from './look-again.ts';
import { stopSignal } from './stop-signal.ts';
import { withDatabase } from './with-database.ts';
import { pause } from '../engine/wake.ts';

/** Between two looks, while nothing is behind. */
const PAUSE_MS = 500;

/** `rollcall tail`: deliveries as they happen, until Ctrl-C. */
export function define(command: Command, cli: Cli): void {
  deliveryOptions(
    command.description(
      'Shows deliveries as they happen, of all workers and homes, until Ctrl-C: when (UTC), where to, who, what, what came of it, and how long the destination took. What was before: `rollcall logs`.',
    ),
    'begin with what is that old (10m, 2h), or with a time',
  ).addHelpText(
    'after',
    examples('rollcall tail', 'rollcall tail --outcome reject,retry', 'rollcall tail --since 10m --json | jq .who'),
  );
  cli.action(command, runTail);
}

async function runTail(options: DeliveryOptions, cli: Cli): Promise<number> {
  const stop = stopSignal(cli.io);
  try {
    const config = await loadConfig(cli);
    await withDatabase(config, async (sql) => {
      const names = (await destinationsOf(sql, options.destination)).map(({ name }) => name);
      const look = await followDeliveries(sql, options.since);
      const show = shower(options, names, cli);
      if (options.json !== true) cli.note(`Following ${names.join(', ') || 'nothing'}. Ctrl-C ends it.`);
      while (!stop.signal.aborted) {
        const seen = await lookUntil(look, stop.signal, cli);
        if (seen === undefined) break;
        show(seen.lines);
        if (!seen.more) await pause(PAUSE_MS, stop.signal);
      }
    });
    return 0;
  } finally {
    stop.done();
  }
}

/** Says the lines that are meant. */
function shower(
  { destination, outcome, reveal = false, json }: DeliveryOptions,
  names: readonly string[],
  cli: Cli,
): (lines: Look['lines']) => void {
  const page = { width: widthOf(cli.io.stdout), paint: cli.paint, reveal, names };
  let before: string | undefined;
  return (lines) => {
    for (const line of lines) {
      if (destination !== undefined && line.destination !== destination) continue;
      if (outcome !== undefined && !outcome.includes(line.outcome)) continue;
      if (json === true) cli.say(JSON.stringify(deliveryDocument(line, reveal)));
      else {
        const day = dayLine(line.at, before, cli.paint);
        if (day !== undefined) cli.say(day);
        cli.say(renderDelivery(line, page));
      }
      before = line.at;
    }
  };
}
