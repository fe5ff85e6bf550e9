import type { Config } from '../../config/types.ts';
import { capturePlans } from '../../sql/compile/capture-plan.ts';
import { inspectSources } from '../../sql/inspect/sources.ts';
import type { Sql } from '../../sql/port.ts';
import { type MirrorShape } from './shape.ts';
import { tableName } from '../../sql/inspect/table.ts';

/** What of a table is read. */
export interface Need {
  /** In the table's order, the key among them. */
  readonly columns: readonly string[];
  /** Those that lead to users. */
  readonly users: readonly string[];
}

/** Each table that has one of these gives it: by the times is told who changed since, and `why` tells of the last. */
const ALWAYS: readonly string[] = ['created_at', 'updated_at', 'is_sso_user'];

/**
 * The columns that a config reads of each mirrored table, by its name: what the triggers of a project would look at. Nothing else
 * is asked for.
 * @throws what `inspectSources` throws
 */
export async function readNeeds(
  sql: Sql,
  config: Config,
  shapes: readonly MirrorShape[],
): Promise<ReadonlyMap<string, Need>> {
  const sources = await sql.transaction((tx) => inspectSources(tx, config));
  const plans = capturePlans(config, sources);
  return new Map(
    shapes.map((shape) => {
      const plan = plans.find(({ table }) => table.name === tableName(shape));
      const states = plan?.states ?? [];
      const wanted = new Set([
        ...shape.key,
        ...ALWAYS,
        ...states.flatMap(({ columns }) => (columns === 'all' ? shape.columns.map(({ name }) => name) : columns)),
        ...(plan?.events?.columns ?? []),
      ]);
      const links = [
        ...states.flatMap((state) => state.links),
        ...sources.events.flatMap(({ table, link }) => (table.name === tableName(shape) ? [link] : [])),
      ];
      return [
        tableName(shape),
        {
          columns: shape.columns.map(({ name }) => name).filter((name) => shape.kind === 'objects' || wanted.has(name)),
          users: shape.kind === 'rows' ? [...new Set(links.flatMap(({ user }) => user?.name ?? []))] : [],
        },
      ];
    }),
  );
}
