import type { Cli } from './cli.ts';
import { lookUntil } from './look-again.ts';
import type { StatusDocument } from './status-document.ts';
import type { Problem } from './status-problems.ts';
import { stopSignal } from './stop-signal.ts';
import { visible } from './visible.ts';
import { pause } from '../engine/wake.ts';

/** Between two looks at least. */
const PAUSE_MS = 2_000;
/** As a look counts all contacts, the database works no more than a tenth of the time. */
const SHARE = 10;

/** How things stand, as one look found them. */
export interface Seen {
  readonly status: StatusDocument;
  readonly problems: readonly Problem[];
  /** What is shown of it. */
  readonly text: string;
}

/**
 * Looks again and again, until Ctrl-C. On a terminal the screen is drawn over; elsewhere what is shown is said whenever
 * something else than an age has changed.
 */
export async function watchStatus(
  look: () => Promise<Seen>,
  { json }: { readonly json: boolean },
  cli: Cli,
): Promise<void> {
  const stop = stopSignal(cli.io);
  const live = cli.io.stdout.isTTY === true && !json;
  let before: string | undefined;
  try {
    while (!stop.signal.aborted) {
      const began = performance.now();
      // The first look says what is wrong, as `status` does.
      const seen = before === undefined ? await look() : await lookUntil(look, stop.signal, cli);
      if (seen === undefined) break;
      if (live) cli.io.stdout.write(redrawn(visible(seen.text, cli.io.stdout), before === undefined));
      const now = whatCounts(seen);
      if (!live && now !== before) cli.say(...(before === undefined || json ? [] : ['', timeOfDay()]), seen.text);
      before = now;
      const pauseMs = Math.max(PAUSE_MS, (performance.now() - began) * SHARE);
      await pause(pauseMs, stop.signal);
    }
  } finally {
    stop.done();
  }
}

/** From the top of the screen, each line cleared behind its end, so that nothing flickers. */
function redrawn(text: string, first: boolean): string {
  const lines = [...text.split('\n'), '', 'Ctrl-C ends it.'];
  return `${first ? '\u001B[2J' : ''}\u001B[H${lines.map((line) => `${line}\u001B[K`).join('\n')}\n\u001B[J`;
}

/** Everything but ages, which change by themselves. */
function whatCounts({ status, problems }: Seen): string {
  const codes = problems.map(({ code }) => code);
  return JSON.stringify({ status, codes }, (key, value: unknown) => (key.endsWith('_s') ? undefined : value));
}

function timeOfDay(): string {
  return `--- ${new Date().toISOString().slice(11, 19)} UTC`;
}
