import type { StateTable } from '../src/core/states/tables.ts';

export function withStates(spec: string, tables: Readonly<Record<string, StateTable>>): string;
