import { expect } from 'vitest';
import type { SandboxCall } from '../../src/sandbox/call-log.ts';
import { startSandbox } from '../../src/sandbox/start.ts';
import type { ContactChange, Sandbox } from '../../src/sandbox/types.ts';
import { onCleanup } from '../support/database.ts';
import { createWorld, type World, type WorldOptions } from '../support/world.ts';
import { type Ran, rollcall, type RunOptions, tempFile } from './run-cli.ts';

/** Destinations whose contacts can be read. */
export const READABLE: readonly string[] = ['mailtrap', 'sendry', 'brevo', 'tajo'];

/** What `rollcall adopt --json` says of one destination. */
export interface Report {
  readonly destination: string;
  readonly there: number;
  readonly ours: number;
  readonly adopted: number;
  readonly equal: number;
  readonly missing: number;
  readonly doubles: number;
  readonly unknown: number;
  readonly recorded: number;
  readonly unread: readonly string[];
  readonly samples: readonly { readonly address: string }[];
}

/** Destinations that had contacts before Rollcall was installed. */
export interface Old {
  readonly world: World;
  readonly sandbox: Sandbox;
  readonly changes: readonly ContactChange[];
  readonly run: (argv: readonly string[], more?: RunOptions) => Promise<Ran>;
  readonly adopt: (...argv: string[]) => Promise<readonly Report[]>;
  /** Puts a contact there, as somebody else has done before us. */
  readonly put: (
    destination: string,
    address: string,
    attributes?: Readonly<Record<string, string>>,
  ) => Promise<string>;
  readonly facts: () => Promise<readonly Record<string, unknown>[]>;
  /** Requests since the last time that may have written something. */
  readonly writes: () => readonly SandboxCall[];
}

/** For tests: a world whose destinations had contacts before it was installed. */
export async function old(
  ids: readonly string[],
  more: WorldOptions & { readonly options?: string } = {},
): Promise<Old> {
  const sandbox = await startSandbox({ only: ids, limitsScale: Infinity, jobStepMs: 1 });
  onCleanup(() => sandbox.close());
  const changes: ContactChange[] = [];
  sandbox.onContact((change) => changes.push(change));
  for (const id of ids) for (const name of ['FIRSTNAME', 'N']) sandbox.of(id).standIn.addField(name, 'text');
  const entry = (id: string): string => {
    const { url, token } = sandbox.of(id);
    const key = id === 'mailtrap' ? 'api_token' : 'api_key';
    return `${id}: { ${key}: ${token}, base_url: ${url}, limits_scale: 10000 ${more.options ?? ''} }`;
  };
  const world = await createWorld({ instead: ids.map(entry).join('\n'), ...more });
  const config = await tempFile('rollcall.yaml', world.yaml);
  const run: Old['run'] = (argv, options = {}) => rollcall([...argv, '--config', config], options);
  let seen = 0;
  return {
    world,
    sandbox,
    changes,
    run,
    async adopt(...argv) {
      const { code, stdout, stderr } = await run(['adopt', '--json', ...argv]);
      expect(stderr).not.toContain('error');
      expect(code).toBe(0);
      return (JSON.parse(stdout) as { destinations: Report[] }).destinations;
    },
    async put(destination, address, attributes = {}) {
      const { url, token, standIn } = sandbox.of(destination);
      const [method, path, headers, body] = request(destination, address, attributes, token);
      const answer = await fetch(url + path, {
        method,
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect(answer.ok).toBe(true);
      return standIn.contact(address)!.id;
    },
    async facts() {
      const { rows } = await world.db.app.query<Record<string, unknown>>(
        'select kind, address, person is not null as known, origin, at is not null as dated from rollcall.consent order by address, kind',
      );
      return rows;
    },
    writes() {
      const calls = sandbox.calls().slice(seen);
      seen += calls.length;
      return calls.filter(({ method, path }) => method !== 'GET' && !path.endsWith('/exports'));
    },
  };
}

function request(
  destination: string,
  address: string,
  attributes: Readonly<Record<string, string>>,
  token: string,
): readonly [string, string, Record<string, string>, object] {
  switch (destination) {
    case 'mailtrap': {
      const body = { contact: { email: address, fields: attributes } };
      return ['PATCH', `/api/contacts/${encodeURIComponent(address)}`, { authorization: `Bearer ${token}` }, body];
    }
    case 'sendry':
      return ['POST', '/v1/contacts', { authorization: `Bearer ${token}` }, { email: address, metadata: attributes }];
    default:
      return ['POST', '/contacts', { 'api-key': token }, { email: address, attributes, updateEnabled: true }];
  }
}

/** Has a worker deliver what is due, and stops it. */
export async function work(world: World): Promise<void> {
  const worker = await world.start();
  await world.settled();
  await worker.stop();
}
