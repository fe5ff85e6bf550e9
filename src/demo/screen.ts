import { styleText } from 'node:util';

/** What the demo shows: a live table on a terminal, plain lines elsewhere, one JSON line at the end with `--json`. */
export interface Screen {
  say(line: string): void;
  ready(info: { readonly pageUrl: string; readonly notes: readonly string[] }): void;
  /** Somebody did something in the app, begun at `since` (ms since the epoch): the contact may have been there before the answer. */
  person(what: 'signed up' | 'edited' | 'left', email: string, name: string, since: number): void;
  /** The sandbox accepted something. */
  contact(kind: string, email: string, name: unknown, at: number): void;
  progress(done: number, of: number): void;
  end(summary: object): void;
  close(): void;
}

interface Line {
  readonly email: string;
  name: string;
  did: string;
  didAt: number;
  contact: string;
  tookMs: number | undefined;
}

const ROWS = 14;
const FRAME_MS = 100;

/** @param json progress goes to stderr as plain lines, and stdout gets the one JSON line */
export function createScreen(json: boolean): Screen {
  const live = !json && process.stdout.isTTY;
  const out = json ? process.stderr : process.stdout;
  const style = (format: Parameters<typeof styleText>[0], text: string): string =>
    live && process.env['NO_COLOR'] === undefined ? styleText(format, text) : text;
  const lines: Line[] = [];
  const accepted = new Map<string, { kind: string; at: number }>();
  const counts = { people: 0, edited: 0, left: 0, contacts: 0 };
  let head: string[] = [];
  let drawn = 0;
  let progressAt = 0;
  const timer = live ? setInterval(draw, FRAME_MS) : undefined;

  function draw(): void {
    const table = lines.map(
      (l) =>
        `  ${l.email.padEnd(28).slice(0, 28)} ${l.name.padEnd(20).slice(0, 20)} ${style(l.did === 'left' ? 'red' : 'cyan', l.did.padEnd(10))} ${
          l.tookMs === undefined ? style('yellow', 'on its way') : style('green', `${l.contact} after ${l.tookMs} ms`)
        }`,
    );
    const text = [
      ...head,
      '',
      style('bold', `  ${'PERSON'.padEnd(28)} ${'NAME'.padEnd(20)} ${'DID'.padEnd(10)} CONTACT AT MAILTRAP (sandbox)`),
      ...table,
      '',
      `  ${counts.people} signed up, ${counts.edited} edited, ${counts.left} left; ${counts.contacts} contacts. Ctrl-C ends.`,
    ];
    if (drawn > 0) process.stdout.write(`\x1B[${drawn}A\x1B[J`);
    process.stdout.write(`${text.join('\n')}\n`);
    drawn = text.length;
  }

  function plainLine(email: string, did: string, kind: string, name: unknown): void {
    if (live || json) return;
    out.write(`${email} ${did}: contact ${kind}${typeof name === 'string' ? ` (${name})` : ''}\n`);
  }

  return {
    say(line) {
      out.write(`${line}\n`);
    },
    ready({ pageUrl, notes }) {
      head = [`Sandbox page: ${pageUrl}`, ...notes.map((note) => `  ${note}`)];
      if (!live) for (const line of head) out.write(`${line}\n`);
    },
    person(what, email, name, since) {
      if (what === 'signed up') counts.people += 1;
      if (what === 'edited') counts.edited += 1;
      if (what === 'left') counts.left += 1;
      const old = lines.findIndex((l) => l.email === email);
      if (old >= 0) lines.splice(old, 1);
      const last = accepted.get(email);
      const there = last !== undefined && last.at >= since ? last : undefined;
      const tookMs = there === undefined ? undefined : there.at - since;
      lines.unshift({ email, name, did: what, didAt: since, contact: there?.kind ?? '', tookMs });
      if (there !== undefined) plainLine(email, what, there.kind, name);
      lines.length = Math.min(lines.length, ROWS);
    },
    contact(kind, email, name, at) {
      if (kind === 'created') counts.contacts += 1;
      if (kind === 'deleted') counts.contacts -= 1;
      accepted.set(email, { kind, at });
      const line = lines.find((l) => l.email === email);
      if (line === undefined || line.didAt > at) return;
      line.contact = kind;
      line.tookMs = Math.max(0, at - line.didAt);
      plainLine(email, line.did, kind, name);
    },
    progress(done, of) {
      const now = Date.now();
      if (live || (done < of && now - progressAt < 1000)) return;
      progressAt = now;
      out.write(`${done} of ${of} signed up, ${counts.contacts} contacts\n`);
    },
    end(summary) {
      if (live) draw();
      process.stdout.write(json ? `${JSON.stringify(summary)}\n` : `${JSON.stringify(summary, null, 2)}\n`);
    },
    close() {
      if (timer !== undefined) clearInterval(timer);
    },
  };
}
