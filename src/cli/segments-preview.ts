import { ASKED, segmentOf } from '../config/segment-of.ts';
import type { Config } from '../config/types.ts';
import { closest } from '../config/suggest.ts';
import { RollcallError } from '../core/errors.ts';
import { maskAddress } from '../core/mask.ts';
import type { Segment } from '../core/segments.ts';
import { previewSegment } from '../sql/segment-preview.ts';
import type { Cli } from './cli.ts';
import { describeMembers } from './describe.ts';
import { count, cut } from './layout.ts';
import { widthOf } from './io.ts';
import { loadConfig } from './load-config.ts';
import { withProject } from './with-project.ts';

interface Options {
  readonly filter?: string | undefined;
  readonly where?: string | undefined;
  readonly from: string;
  readonly limit: number;
  readonly reveal?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** `rollcall segments preview`. @param name of a segment of the config; else the options say what it is */
export async function runPreview(name: string | undefined, options: Options, cli: Cli): Promise<number> {
  const config = await loadConfig(cli);
  const segment = meant(name, options, config);
  const { count: members, sample } = await withProject(config, { what: 'rows' }, cli, (sql) =>
    previewSegment(sql, config, segment, options.limit),
  ).catch((error: unknown) => {
    throw name === undefined ? withoutPlace(error) : error;
  });
  const shown = options.reveal === true ? sample : sample.map(maskAddress);
  if (options.json === true) {
    cli.json({ segment: name ?? null, from: fromOf(segment), members, sample: shown });
    return 0;
  }
  const width = widthOf(cli.io.stdout);
  const more = members - shown.length;
  cli.say(
    cut(describeMembers(segment), width),
    cli.paint('bold', count(members, 'member')),
    ...shown.map((address) => `  ${address}`),
    ...(shown.length > 0 && more > 0 ? [`  and ${count(more, 'more', 'more')}`] : []),
  );
  return 0;
}

/** @throws RollcallError `RC_SEGMENT_UNKNOWN`, `RC_SEGMENT_UNNAMED`, and what is wrong with a condition */
function meant(name: string | undefined, { filter, where, from }: Options, config: Config): Segment {
  const given = [filter, where].filter((text) => text !== undefined).length;
  const known = config.segments.map((segment) => segment.name);
  if ((name === undefined) !== (given === 1) || given > 1) {
    throw new RollcallError('RC_SEGMENT_UNNAMED', 'Say which segment: its name, or one of --filter and --where.', {
      hint:
        known.length === 0
          ? "For example rollcall segments preview --filter 'email=ilike.*@example.com'."
          : `The config has ${known.join(', ')}.`,
    });
  }
  if (name === undefined) return segmentOf({ filter, where, from }, config);
  const found = config.segments.find((segment) => segment.name === name);
  if (found !== undefined) return found;
  const near = closest(name, known);
  throw new RollcallError('RC_SEGMENT_UNKNOWN', `The config has no segment ${JSON.stringify(name)}.`, {
    hint: near === undefined ? `It has ${known.join(', ') || 'none'}.` : `Did you mean ${near}?`,
  });
}

/** What is wrong with a condition of the prompt stands nowhere in the file; a mistake of the file keeps its place. */
function withoutPlace(error: unknown): unknown {
  if (!(error instanceof RollcallError) || error.place?.path !== ASKED) return error;
  const { code, message, hint } = error;
  return new RollcallError(code, message, { hint, cause: error });
}

function fromOf({ from }: Segment): string {
  return from.kind === 'users' ? 'users' : `${from.table.schema}.${from.table.table}`;
}
