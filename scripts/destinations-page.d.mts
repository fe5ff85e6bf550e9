import type { Destination } from '../src/core/destination.ts';

export function destinationsPage(registry: readonly Destination<unknown>[]): string;
