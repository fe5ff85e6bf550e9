import type { Destination } from '../core/destination.ts';
import { mailtrap } from './mailtrap/index.ts';

/** Every destination there is: one folder each, checked by a test. Adding one is adding its folder and this line. */
export const registry: readonly Destination<unknown>[] = [mailtrap];
