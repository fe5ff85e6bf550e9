// Writes the pages in docs/ that are made of the code.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { destinationsPage } from './destinations-page.mjs';

const PAGE = fileURLToPath(new URL('../docs/destinations.md', import.meta.url));

/** @throws when nothing is built */
export async function writeDocs() {
  const { registry } = await import('../dist/destinations/registry.js');
  writeFileSync(PAGE, destinationsPage(registry));
}
