#!/usr/bin/env node
import { isatty } from 'node:tty';
import type { Io } from './io.ts';
import { main } from './program.ts';
import { reportError } from './report-error.ts';

const io: Io = {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  interactive: isatty(0) && isatty(1),
  async confirm(message) {
    const { confirm } = await import('@clack/prompts');
    return (await confirm({ message, initialValue: false })) === true;
  },
  onSignal(listener) {
    const names = ['SIGINT', 'SIGTERM'] as const;
    const listeners = names.map((name) => [name, () => listener(name)] as const);
    for (const [name, run] of listeners) process.on(name, run);
    return () => {
      for (const [name, run] of listeners) process.off(name, run);
    };
  },
  exitNow: (code) => process.exit(code),
};

// Whoever read our output has gone (`rollcall status | head -1`): nothing is left to say.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? (process.exitCode ?? 0) : 1);
});
process.stderr.on('error', () => undefined);

async function fail(error: unknown): Promise<void> {
  await reportError(error, io);
  process.exit(1);
}
process.on('uncaughtException', (error) => void fail(error));
process.on('unhandledRejection', (error) => void fail(error));

process.exitCode = await main(process.argv.slice(2), io);
