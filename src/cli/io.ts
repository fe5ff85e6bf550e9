import type { Env } from '../config/interpolate.ts';

/** Where text goes. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Everything a command needs of the process it runs in. */
export interface Io {
  readonly env: Env;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** Whether questions can be asked: a person sits at both ends. */
  readonly interactive: boolean;
  /** Asks a yes-or-no question; no when it is cancelled. Called only when `interactive`. */
  confirm(question: string): Promise<boolean>;
  /** Calls for SIGINT and SIGTERM until the returned function is called. */
  onSignal(listener: (name: 'SIGINT' | 'SIGTERM') => void): () => void;
  /** Ends the process at once. */
  exitNow(code: number): void;
}

/** Columns of the terminal, at most 100 so that lines stay readable; 80 in a pipe. */
export function widthOf(stream: TextStream): number {
  return Math.min(stream.columns ?? 80, 100);
}
