/** What outlives a restore, as JSON Lines: a line that says what it is, then tombstones and facts, hashes alone. */

/** One tombstone or fact, as the database has made it. */
export type KeptLine = Readonly<Record<string, unknown>>;

export interface Kept {
  /** Tells the key of the hashes from any other. */
  readonly check: string;
  readonly lines: readonly KeptLine[];
}

const HASH = /^[0-9a-f]{64}$/;
const FORM = /^#[0-9a-f]{64}$/;
const KINDS: readonly unknown[] = ['opt_out', 'complaint', 'bounce'];

/** The text of a kept file; it ends with a line that counts the others, so that half of it is told from all of it. */
export function keptText({ check, lines }: Kept): string {
  const head = { rollcall: 'kept', version: 1, check };
  return `${[head, ...lines, { end: lines.length }].map((line) => JSON.stringify(line)).join('\n')}\n`;
}

/** Reads a kept file; or what is wrong with it, as the end of a sentence, with nothing of what it holds. */
export function readKept(text: string): Kept | { readonly problem: string } {
  const parsed: unknown[] = [];
  for (const [n, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      parsed.push(JSON.parse(line));
    } catch {
      return { problem: `its line ${n + 1} is no JSON` };
    }
  }
  const [head, ...rest] = parsed.map(objectOf);
  if (head?.['rollcall'] !== 'kept') return { problem: 'it is no file that Rollcall has kept' };
  const { version, check } = head;
  if (version !== 1) return { problem: `it is of version ${String(version)}, and this Rollcall reads version 1` };
  const end = rest.pop();
  if (typeof check !== 'string' || !HASH.test(check)) return { problem: 'its first line is damaged' };
  if (end?.['end'] !== rest.length) return { problem: 'its end is missing' };
  const lines = rest.filter((line) => line !== undefined);
  const bad = rest.findIndex((line) => line === undefined || !(isTombstone(line) || isFact(line)));
  return bad === -1 ? { check, lines } : { problem: `its line ${bad + 2} is damaged` };
}

function objectOf(value: unknown): KeptLine | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as KeptLine) : undefined;
}

function isTombstone({ tombstone, at }: KeptLine): boolean {
  return typeof tombstone === 'string' && HASH.test(tombstone) && isTime(at);
}

function isFact({ fact, kind, person, address, topic, origin, at, received_at: received }: KeptLine): boolean {
  const form = (value: unknown): boolean => typeof value === 'string' && FORM.test(value);
  return (
    form(fact) &&
    KINDS.includes(kind) &&
    (person === undefined || form(person)) &&
    (address === undefined || form(address)) &&
    (person ?? address) !== undefined &&
    (topic === undefined || typeof topic === 'string') &&
    typeof origin === 'string' &&
    (at === undefined || isTime(at)) &&
    isTime(received)
  );
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(value);
}
