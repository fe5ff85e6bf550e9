import { edgeHome } from './edge-home.ts';
import type { Home } from './home.ts';
import { sqlHome } from './sql-home.ts';
import { workerHome } from './worker-home.ts';

/** Every home that is measured. */
export const HOMES: readonly Home[] = [workerHome, edgeHome, sqlHome];

/** @throws Error when there is none of that name */
export function homeNamed(name: string): Home {
  const home = HOMES.find((each) => each.name === name);
  if (home === undefined) throw new Error(`there is no home ${name}: ${HOMES.map((each) => each.name).join(', ')}`);
  return home;
}
