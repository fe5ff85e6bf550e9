import { RollcallError } from '../core/errors.ts';
import { formatPath, type Position, type TreePath } from './tree.ts';
import type { ConfigWarning } from './types.ts';

/** Where an issue stands: any node or entry of the tree will do. */
export interface Spot {
  readonly at: Position;
  readonly path: TreePath;
}

/** Collects every mistake and warning of one file, so that all are told at once. */
export class Issues {
  readonly #file: string;
  #errors: RollcallError[] = [];
  readonly #warnings: ConfigWarning[] = [];
  readonly #settled = new Set<string>();

  constructor(file: string) {
    this.#file = file;
  }

  /** Adds a mistake, unless its path is settled. */
  error(code: string, message: string, spot: Spot, hint?: string): void {
    const path = formatPath(spot.path);
    if (this.#settled.has(path)) return;
    const place = { file: this.#file, ...spot.at, path };
    this.#errors.push(new RollcallError(code, message, { hint, place }));
  }

  /** Says that the value at a path is known to be wrong: what a reader finds wrong with it from now on is not added. */
  settle(path: TreePath): void {
    this.#settled.add(formatPath(path));
  }

  /** Takes back the mistakes of one code at a path and below it: what stands there is not used. */
  withdraw(code: string, path: TreePath): void {
    const top = formatPath(path);
    const below = (at: string): boolean => at === top || at.startsWith(`${top}.`) || at.startsWith(`${top}[`);
    this.#errors = this.#errors.filter((error) => error.code !== code || !below(error.place?.path ?? ''));
  }

  warn(code: string, message: string, spot: Spot): void {
    this.#warnings.push({ code, message, ...spot.at });
  }

  get failed(): boolean {
    return this.#errors.length > 0;
  }

  /** In the order of the file. */
  errors(): readonly RollcallError[] {
    return this.#errors.toSorted(
      (a, b) => (a.place?.line ?? 0) - (b.place?.line ?? 0) || (a.place?.column ?? 0) - (b.place?.column ?? 0),
    );
  }

  /** In the order of the file. */
  warnings(): readonly ConfigWarning[] {
    return this.#warnings.toSorted((a, b) => a.line - b.line || a.column - b.column);
  }
}
