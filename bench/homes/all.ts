import type { Home } from './home.ts';
import { sqlHome } from './sql-home.ts';
import { workerHome } from './worker-home.ts';

/** Every home that is measured. */
export const HOMES: readonly Home[] = [workerHome, sqlHome];
