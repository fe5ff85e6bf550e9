import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FaultRule } from '../src/sandbox/faults.ts';
import { startSandbox } from '../src/sandbox/start.ts';

/** The sandbox in a process of its own, so that it takes no time of the worker's. */
export interface StandIns {
  /** The URL and the key of a destination's stand-in. */
  of(id: string): Promise<{ readonly url: string; readonly token: string }>;
  /** Makes a field, or a list, whose id it gives. */
  addField(id: string, name: string, type: string): Promise<unknown>;
  addList(id: string, name: string): Promise<string>;
  contacts(id: string): Promise<number>;
  /** Address and FIRSTNAME of each contact. */
  people(id: string): Promise<ReadonlyMap<string, string>>;
  /** Addresses of contacts that were made since the last time this was asked, with when (ms since the epoch). */
  made(): Promise<readonly (readonly [address: string, at: number])[]>;
  /** These and no other faults from now on. */
  faults(rules: readonly FaultRule[]): Promise<void>;
  /** Calls since the start, by answer. */
  calls(): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

/** @param limitsScale how many times the vendors' limits */
export async function startStandIns(limitsScale: number): Promise<StandIns> {
  const child = fork(fileURLToPath(import.meta.url), ['stand-ins', String(limitsScale)], { stdio: 'inherit' });
  await once(child, 'message');
  return {
    of: async (id) => (await ask(child, ['of', id])) as { url: string; token: string },
    addField: (...args) => ask(child, ['addField', ...args]),
    addList: async (...args) => String(await ask(child, ['addList', ...args])),
    contacts: async (id) => Number(await ask(child, ['contacts', id])),
    people: async (id) => new Map((await ask(child, ['people', id])) as [string, string][]),
    made: async () => (await ask(child, ['made'])) as [string, number][],
    faults: async (rules) => {
      await ask(child, ['faults', JSON.stringify(rules)]);
    },
    calls: async () => (await ask(child, ['calls'])) as Record<string, number>,
    close: async () => {
      child.kill();
      await once(child, 'exit');
    },
  };
}

const asked = new WeakMap<ChildProcess, Promise<unknown>>();

/** One question at a time: an answer does not say which it is for. */
function ask(child: ChildProcess, question: readonly string[]): Promise<unknown> {
  const turn = (asked.get(child) ?? Promise.resolve()).then(async () => {
    const answer = once(child, 'message');
    child.send(question);
    return (await answer)[0] as unknown;
  });
  asked.set(child, turn);
  return turn;
}

async function serve(limitsScale: number): Promise<void> {
  const sandbox = await startSandbox({ limitsScale, jobStepMs: 100, keepCalls: 100 });
  const made: [string, number][] = [];
  sandbox.onContact(({ kind, contact, at }) => {
    if (kind === 'created') made.push([contact.address, at]);
  });
  const answers: Record<string, (...args: string[]) => unknown> = {
    of: (id = '') => ({ url: sandbox.of(id).url, token: sandbox.of(id).token }),
    addField: (id = '', name = '', type = '') => sandbox.of(id).standIn.addField(name, type) ?? null,
    addList: (id = '', name = '') => sandbox.of(id).standIn.addList(name),
    contacts: (id = '') => sandbox.of(id).standIn.contactCount,
    people: (id = '') =>
      [...sandbox.of(id).standIn.contacts()].map(({ address, attributes }) => [address, attributes['FIRSTNAME'] ?? '']),
    made: () => made.splice(0),
    faults: (rules = '[]') => {
      sandbox.clearFaults();
      sandbox.addFaults(JSON.parse(rules) as FaultRule[]);
    },
    calls: () => sandbox.counters().byStatus,
  };
  process.on('message', ([name = '', ...args]: string[]) => process.send?.(answers[name]?.(...args) ?? null));
  process.once('disconnect', () => process.exit(1));
  process.send?.('ready');
}

if (process.argv[2] === 'stand-ins') await serve(Number(process.argv[3]));
