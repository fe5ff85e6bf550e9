import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

/** The Chromium of `ROLLCALL_CHROMIUM`, or one on PATH, or null. */
export function findChromium(): string | null {
  const named = process.env['ROLLCALL_CHROMIUM'];
  if (named !== undefined && named !== '') return named;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable) ?? null;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** One page of a headless Chromium, spoken to over its debugging pipe (JSON messages that end in a zero byte). */
export class BrowserPage {
  /** What the page logged or threw, and what its content policy refused. */
  readonly complaints: string[] = [];
  private readonly child: ChildProcess;
  private readonly profile: string;
  private readonly waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  private lastId = 0;
  private session: string | undefined;
  private rest = '';
  private readonly loaded = new EventEmitter();

  private constructor(child: ChildProcess, profile: string) {
    this.child = child;
    this.profile = profile;
    const incoming = child.stdio[4] as Readable;
    incoming.setEncoding('utf8');
    incoming.on('data', (chunk: string) => this.read(chunk));
    child.on('exit', () => {
      for (const { reject } of this.waiting.values()) reject(new Error('Chromium ended'));
    });
  }

  static async open(binary: string, url: string): Promise<BrowserPage> {
    const profile = await mkdtemp(join(tmpdir(), 'rollcall-chromium-'));
    const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'];
    const child = spawn(binary, [...flags, '--remote-debugging-pipe', `--user-data-dir=${profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    const page = new BrowserPage(child, profile);
    const { targetId } = (await page.send('Target.createTarget', { url: 'about:blank' })) as { targetId: string };
    const attached = await page.send('Target.attachToTarget', { targetId, flatten: true });
    page.session = (attached as { sessionId: string }).sessionId;
    await page.send('Runtime.enable');
    await page.send('Log.enable');
    await page.send('Page.enable');
    const loaded = once(page.loaded, 'load');
    await page.send('Page.navigate', { url });
    await loaded;
    return page;
  }

  async send(method: string, params: Record<string, unknown> = {}): Promise<unknown> {
    this.lastId += 1;
    const id = this.lastId;
    const message = JSON.stringify({ id, method, params, ...(this.session ? { sessionId: this.session } : {}) });
    return await new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      (this.child.stdio[3] as Writable).write(`${message}\0`);
    });
  }

  /** The value of an expression in the page; promises are awaited there. */
  async evaluate(expression: string): Promise<unknown> {
    const answer = (await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })) as {
      result: { value?: unknown };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    };
    const thrown = answer.exceptionDetails;
    if (thrown !== undefined) throw new Error(thrown.exception?.description ?? thrown.text);
    return answer.result.value;
  }

  /** Waits, inside the page and look by look, until an expression is true there. */
  async until(expression: string): Promise<void> {
    await this.evaluate(
      `new Promise((resolve) => { const look = () => (${expression}) ? resolve(true) : setTimeout(look, 20); look(); })`,
    );
  }

  async close(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await ended;
    }
    await rm(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }

  private read(chunk: string): void {
    const messages = (this.rest + chunk).split('\0');
    this.rest = messages.pop() ?? '';
    for (const text of messages) this.take(JSON.parse(text) as Message);
  }

  private take(message: Message): void {
    if (message.id !== undefined) {
      const waiter = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      if (message.error === undefined) waiter?.resolve(message.result);
      else waiter?.reject(new Error(message.error.message));
      return;
    }
    if (message.method === 'Page.loadEventFired') this.loaded.emit('load');
    const complaint = ['Runtime.exceptionThrown', 'Log.entryAdded', 'Runtime.consoleAPICalled'];
    if (message.method !== undefined && complaint.includes(message.method)) {
      this.complaints.push(JSON.stringify(message.params));
    }
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
