import { readFile } from 'node:fs/promises';

/** A row of docs/errors.md, which the package has with it. */
export interface ErrorCode {
  readonly means: string;
  /** Empty where there is nothing to do. */
  readonly todo: string;
}

const PAGE = new URL('../../docs/errors.md', import.meta.url);

/** What the documents say of a code; undefined where they do not know it. */
export async function explainCode(code: string): Promise<ErrorCode | undefined> {
  return codesOf(await readFile(PAGE, 'utf8')).get(code);
}

/** All codes of the page's tables. One that stands in several is told as the first of them does. */
export function codesOf(page: string): ReadonlyMap<string, ErrorCode> {
  const codes = new Map<string, ErrorCode>();
  for (const line of page.split('\n')) {
    // A bar within a cell is written \|.
    const [, names = '', means = '', todo = ''] = line.split(/(?<!\\)\|/).map((cell) => plain(cell));
    if (!line.startsWith('| `RC_')) continue;
    for (const [name] of names.matchAll(/RC_\w+/g)) if (!codes.has(name)) codes.set(name, { means, todo });
  }
  return codes;
}

function plain(cell: string): string {
  return cell
    .trim()
    .replaceAll('\\|', '|')
    .replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1')
    .replaceAll(/(?<![\w*])\*([^*]+)\*/g, '$1');
}
