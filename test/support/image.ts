import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DockerfileParser } from 'dockerfile-ast';

/** What an image is told by its Dockerfile, as far as whoever runs it sees that. */
export interface Image {
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly healthcheck: readonly string[];
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  /** What is copied in from the folder of the build, in any stage. */
  readonly copied: readonly string[];
}

/** Reads a Dockerfile whose commands are written as JSON. */
export function readImage(root: string): Image {
  const instructions = DockerfileParser.parse(readFileSync(join(root, 'Dockerfile'), 'utf8')).getInstructions();
  const named = (keyword: string): readonly string[] =>
    instructions.filter((one) => one.getKeyword() === keyword).map((one) => one.getArgumentsContent() ?? '');
  const json = (keyword: string): readonly string[] =>
    JSON.parse(
      named(keyword)
        .at(-1)!
        .replace(/^.*?\[/s, '['),
    ) as string[];
  return {
    user: named('USER').at(-1)!,
    entrypoint: json('ENTRYPOINT'),
    cmd: json('CMD'),
    healthcheck: json('HEALTHCHECK'),
    workdir: named('WORKDIR').at(-1)!,
    env: Object.fromEntries(named('ENV').map((pair) => pair.split('=', 2) as [string, string])),
    // What comes from another stage is named from the root.
    copied: named('COPY')
      .flatMap((words) => words.split(/\s+/).slice(0, -1))
      .filter((path) => !path.startsWith('/')),
  };
}
