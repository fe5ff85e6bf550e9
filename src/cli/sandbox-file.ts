import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, basename, join } from 'node:path';
import { RollcallError } from '../core/errors.ts';
import { parseJson, renderJson, type Json } from '../core/json.ts';
import type { Sandbox } from '../sandbox/types.ts';

/** Between two savings, while something changes. */
const SAVE_EVERY_MS = 5_000;

/**
 * The state in a file; undefined when there is no such file.
 * @throws RollcallError `RC_SANDBOX_STATE` when it can't be read or is no JSON
 */
export async function readState(file: string): Promise<Json | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'error';
    if (code === 'ENOENT') return undefined;
    throw new RollcallError('RC_SANDBOX_STATE', `The state can't be read from ${file} (${code}).`, { cause });
  }
  try {
    return parseJson(text);
  } catch (cause) {
    throw new RollcallError('RC_SANDBOX_STATE', `${file} is no state of a sandbox: it is not JSON.`, {
      hint: 'Give another file, or move this one away to begin with nothing.',
      cause,
    });
  }
}

/** Keeps a sandbox's state in a file: while it changes every five seconds, and at the end. */
export class StateFile {
  private readonly file: string;
  private readonly sandbox: Pick<Sandbox, 'save' | 'revision'>;
  private readonly onProblem: (error: RollcallError) => void;
  private readonly timer: NodeJS.Timeout;
  private saved: number;
  private writing: Promise<void> = Promise.resolve();

  /** @param onProblem told of each saving between that failed; the next one tries again */
  constructor(
    file: string,
    sandbox: Pick<Sandbox, 'save' | 'revision'>,
    onProblem: (error: RollcallError) => void,
    everyMs: number = SAVE_EVERY_MS,
  ) {
    this.file = file;
    this.sandbox = sandbox;
    this.onProblem = onProblem;
    this.saved = sandbox.revision;
    this.timer = setInterval(() => this.saveChanges(), everyMs).unref();
  }

  /** Saves a last time. @throws RollcallError `RC_SANDBOX_STATE` when it can't be written */
  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.writing;
    await this.write();
  }

  private saveChanges(): void {
    if (this.saved === this.sandbox.revision) return;
    this.writing = this.writing
      .then(() => this.write())
      .catch((error: unknown) => this.onProblem(error as RollcallError));
  }

  /** Beside the file, then in its place: whoever reads it, or a crash, never meets half a state. */
  private async write(): Promise<void> {
    const { revision } = this.sandbox;
    const beside = join(dirname(this.file), `.${basename(this.file)}.${process.pid}`);
    try {
      await writeFile(beside, `${renderJson(this.sandbox.save())}\n`, { mode: 0o600 });
      await rename(beside, this.file);
    } catch (cause) {
      await rm(beside, { force: true }).catch(() => undefined);
      const code = (cause as NodeJS.ErrnoException).code ?? 'error';
      throw new RollcallError('RC_SANDBOX_STATE', `The state can't be saved to ${this.file} (${code}).`, { cause });
    }
    this.saved = revision;
  }
}
