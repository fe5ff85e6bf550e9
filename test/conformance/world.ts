import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { AttributePlan, Delivery, Exchange, RemoteContact } from '../../src/core/destination.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import type { MailtrapConfig } from '../../src/destinations/mailtrap/config.ts';
import { mailtrap } from '../../src/destinations/mailtrap/index.ts';
import { perform } from '../../src/engine/perform.ts';
import { delivery as claimedUnit } from '../../src/testing/delivery.ts';
import type { Claimed } from '../../src/engine/ports.ts';
import { startSandbox, type Sandbox, type SandboxOptions } from '../support/mailtrap-sandbox.ts';
import { createUndiciSend } from '../../src/transport/undici.ts';

/** The destination and its transport against the sandbox, over real HTTP; closed when the test ends. */
export async function world(options: Record<string, unknown> = {}, sandboxOptions: SandboxOptions = {}) {
  const sandbox: Sandbox = await startSandbox({ limitsScale: Infinity, ...sandboxOptions });
  const transport = createUndiciSend();
  onTestFinished(async () => {
    await transport.close();
    await sandbox.close();
  });
  let config: MailtrapConfig = mailtrap.config.parse({
    api_token: sandbox.token,
    base_url: sandbox.apiUrl,
    ...options,
  });

  async function read<Value>(exchange: Exchange<Value>): Promise<Value> {
    const result = await transport.send(exchange.request, mailtrap.auth(config), { deadlineMs: 5_000 });
    if (!result.answered) throw new Error(result.outcome.kind);
    const value = exchange.interpret(result.response);
    if (!value.ok) throw new Error(JSON.stringify(value.outcome));
    return value.value;
  }

  /** Sends a delivery once; the operations in order until one is not accepted. */
  async function deliver(parts: Partial<Delivery>, plan: AttributePlan = {}): Promise<Outcome[]> {
    const delivery: Delivery = {
      contactId: '1',
      version: '1',
      action: 'upsert',
      address: 'a@x.io',
      remote: null,
      attributes: {},
      takeover: false,
      consent: 'basis',
      ...parts,
    };
    const outcomes: Outcome[] = [];
    for (const operation of mailtrap.encode(delivery, plan, config)) {
      const request = mailtrap.request([operation], config);
      const result = await transport.send(request, mailtrap.auth(config), { deadlineMs: 5_000 });
      const [outcome] = result.answered ? mailtrap.interpret(result.response, [operation]) : [result.outcome];
      outcomes.push(outcome!);
      if (outcome?.kind !== 'delivered') break;
    }
    return outcomes;
  }

  /** Sends a delivery that must be accepted; gives what is then known of the contact. */
  async function accepted(
    parts: Partial<Delivery> & { address: string },
    plan?: AttributePlan,
  ): Promise<RemoteContact> {
    const outcomes = await deliver(parts, plan);
    const [first] = outcomes;
    if (first?.kind !== 'delivered' || outcomes.at(-1)?.kind !== 'delivered') throw new Error(JSON.stringify(outcomes));
    return { address: parts.address, id: first.remoteId ?? null };
  }

  /** Sends an event once. */
  async function tell(name: string, remote: RemoteContact, properties: JsonObject = {}): Promise<Outcome> {
    const event = { id: randomUUID(), name, properties, at: '2026-05-06T07:08:09.123456Z' };
    const operation = mailtrap.encodeEvent!(event, remote, config);
    const request = mailtrap.request([operation], config);
    const result = await transport.send(request, mailtrap.auth(config), { deadlineMs: 5_000 });
    const [outcome] = result.answered ? mailtrap.interpret(result.response, [operation]) : [result.outcome];
    return outcome!;
  }

  /** Has the engine perform one unit of work, without a limit on time. */
  async function unit(parts: Partial<Claimed>, eventsAtMostOnce = false) {
    const performed = await perform(claimedUnit({ address: 'a@x.io', ...parts }), {
      destination: mailtrap,
      config,
      plan: {},
      bytesPerRequest: undefined,
      send: transport.send,
      eventsAtMostOnce,
      permit: async () => true,
      deadlineMs: () => 5_000,
      onMistake: (error) => {
        throw error;
      },
    });
    if (!performed.begun) throw new Error('not begun');
    return { state: performed.state?.outcome, events: performed.events.map(({ outcome }) => outcome) };
  }

  const resolve = async (): Promise<void> => {
    config = mailtrap.lists!.resolve(config, (await read(mailtrap.lists!.all(config))).lists);
  };
  return { sandbox, state: sandbox.state, deliver, accepted, tell, unit, read, resolve, config: () => config };
}
