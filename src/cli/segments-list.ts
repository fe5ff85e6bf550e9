import type { Config } from '../config/types.ts';
import { listKey, type Segment } from '../core/segments.ts';
import { notInstalled } from '../engine/fatal.ts';
import { type Queryable, sqlState } from '../sql/port.ts';
import type { Cli } from './cli.ts';
import { describeList, describeMembers, segmentSource } from './describe.ts';
import { widthOf } from './io.ts';
import { count, cut, wrap } from './layout.ts';
import { loadConfig } from './load-config.ts';
import { withDatabase } from './with-database.ts';

/** A segment with how many it has. */
interface Counted {
  readonly segment: Segment;
  /** Null while it is not applied. */
  readonly members: number | null;
  /** Those of them whose list has taken them. */
  readonly onList: number | null;
}

/** `rollcall segments` */
export async function runList({ json }: { readonly json?: boolean | undefined }, cli: Cli): Promise<number> {
  const config = await loadConfig(cli);
  const { segments } = config;
  const counted = segments.length === 0 ? [] : await withDatabase(config, (sql) => readCounts(sql, segments));
  if (json === true) cli.json({ segments: counted.map(documentOf) });
  else cli.say(render(config, counted, cli));
  return 0;
}

async function readCounts(sql: Queryable, segments: readonly Segment[]): Promise<readonly Counted[]> {
  const rows = await sql
    .query<{ destination: string; list: string; wanted: string; told: string }>('select * from rollcall.list_counts()')
    .catch((error: unknown) => {
      // No such schema or function: also of an install from before there were any.
      throw ['3F000', '42883'].includes(sqlState(error) ?? '') ? notInstalled() : error;
    });
  return segments.map((segment) => {
    const row = rows.find(
      ({ destination, list }) => destination === segment.destination && list === listKey(segment.list),
    );
    return {
      segment,
      members: row === undefined ? null : Number(row.wanted),
      onList: row === undefined ? null : Number(row.told),
    };
  });
}

function documentOf({ segment, members, onList }: Counted): object {
  const { name, destination, list, filter, where } = segment;
  return {
    name,
    destination,
    list,
    from: segmentSource(segment),
    ...(filter === undefined ? { where: where.expression } : { filter }),
    members,
    on_list: onList,
  };
}

function render(config: Config, counted: readonly Counted[], cli: Cli): string {
  const width = widthOf(cli.io.stdout);
  if (counted.length === 0) {
    const none = `${config.file} has no segments. Add some under \`segments:\` (docs/segments.md), or look at one:`;
    return `${wrap(none, width)}\n  rollcall segments preview --filter 'email=ilike.*@example.com'`;
  }
  const lines = counted.map(({ segment, members, onList }) => {
    return [
      cut(`${cli.paint('bold', segment.name)}  ${stateOf(members, onList)}`, width + cli.paint('bold', '').length),
      cut(`  ${describeMembers(segment)}`, width),
      cut(`  on ${describeList(segment)}`, width),
    ].join('\n');
  });
  const unapplied = counted.some(({ members }) => members === null);
  return [...lines, ...(unapplied ? ['', 'Run `rollcall apply` to have them kept.'] : [])].join('\n');
}

function stateOf(members: number | null, onList: number | null): string {
  if (members === null || onList === null) return 'not applied';
  return members === onList
    ? count(members, 'member')
    : `${count(members, 'member')}, ${count(onList, 'of them', 'of them')} on the list so far`;
}
