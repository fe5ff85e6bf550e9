// `npm run new:destination <id>`: a new folder below src/destinations, made of src/testing/template. Its tests run at once and
// say what to write next.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const TEMPLATE = join(root, 'src', 'testing', 'template');
const DESTINATIONS = join(root, 'src', 'destinations');

/** Names that mean something else in a config or in an object. */
const RESERVED = ['constructor', 'prototype', 'type', 'sandbox', 'registry'];

/** What is wrong with an id; undefined when a folder can be made. */
function problemOf(id) {
  if (id === undefined) return 'Name the destination: npm run new:destination <id>';
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(id) || id.length > 40) {
    return `"${id}" is no id: at most 40 lower-case letters, digits and single hyphens, beginning with a letter, for example "acme-mail".`;
  }
  if (RESERVED.includes(id)) return `"${id}" means something else: choose another id.`;
  return existsSync(join(DESTINATIONS, id)) ? `src/destinations/${id} is there already.` : undefined;
}

/** A text of the template for another vendor. */
function named(text, id) {
  const words = id.split('-');
  const name = words.map((word) => word[0].toUpperCase() + word.slice(1)).join(' ');
  return text
    .replaceAll('ACME_', `${words.join('_').toUpperCase()}_`)
    .replaceAll('ACME', 'VENDOR')
    .replaceAll('Acme', name)
    .replaceAll('acme', id);
}

export function newDestination([id, ...more]) {
  const problem = more.length > 0 ? 'Name one destination at a time.' : problemOf(id);
  if (problem !== undefined) {
    process.stderr.write(`${problem}\n`);
    process.exitCode = 2;
    return;
  }
  const folder = join(DESTINATIONS, id);
  for (const entry of readdirSync(TEMPLATE, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const from = join(entry.parentPath, entry.name);
    const to = join(folder, from.slice(TEMPLATE.length));
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, named(readFileSync(from, 'utf8'), id));
  }
  process.stdout.write(`src/destinations/${id} is made. Its tests say what to write next:

  npx vitest run src/destinations/${id}

CONTRIBUTING.md, "A destination", goes through it step by step.
`);
}
