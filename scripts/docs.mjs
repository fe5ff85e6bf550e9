// Writes what the pages say that is made of the code.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { destinationsPage } from './destinations-page.mjs';
import { withStates } from './states-page.mjs';

const PAGE = fileURLToPath(new URL('../docs/destinations.md', import.meta.url));
const SPEC = fileURLToPath(new URL('../SPEC.md', import.meta.url));

/** @throws when nothing is built */
export async function writeDocs() {
  const { registry } = await import('../dist/destinations/registry.js');
  writeFileSync(PAGE, destinationsPage(registry));
  const { TABLES } = await import('../dist/core/states/tables.js');
  writeFileSync(SPEC, withStates(readFileSync(SPEC, 'utf8'), TABLES));
}
