import { startSandbox } from '../../../src/sandbox/start.ts';
import type { Sandbox } from '../../../src/sandbox/types.ts';
import type { DestinationId, Setup } from './plan.ts';

/** The grace of every run, in ms. */
export const GRACE_MS = 1_200;

const SECRET = `whsec_${btoa('s'.repeat(32))}`;
const FIELDS = {
  FIRSTNAME: 'text',
  CITY: 'text',
  PLAN: 'text',
  TIER: 'text',
  PAYMENTS: 'number',
  LTV: 'number',
  BASKET: 'number',
  N: 'number',
  OWNER: 'text',
};

/** The stand-ins of all destinations behind one server, with the fields and lists that the config names. */
export async function openDestinations(): Promise<Sandbox> {
  const sandbox = await startSandbox({
    only: ['mailtrap', 'sendry', 'brevo', 'webhook'],
    tokens: { webhook: SECRET },
    // What a proxy holds and doubles is no measure: limits are judged where the worker sends.
    limitsScale: Infinity,
    keepCalls: 100_000,
    jobStepMs: 100,
    // Only so may a client import at all: see upsert_keeps_unsubscribed below.
    settings: { sendry: { upsertResets: false } },
  });
  for (const [name, type] of Object.entries(FIELDS)) {
    sandbox.of('mailtrap').standIn.addField(name, type === 'number' ? 'float' : type);
    sandbox.of('brevo').standIn.addField(name, type === 'number' ? 'float' : type);
  }
  sandbox.of('sendry').standIn.addList('Everybody');
  sandbox.of('brevo').standIn.addList('Everybody');
  return sandbox;
}

/** A limit that a destination publishes, scaled as the config below scales it. */
export interface Limit {
  readonly destination: DestinationId;
  /** Of the requests whose path matches. */
  readonly of: RegExp;
  readonly requests: number;
  readonly perMs: number;
}

/** As low as a run of seconds allows. */
const SCALE = 6;

/** Written from the vendors' pages, not from the code that keeps them. */
export const LIMITS: readonly Limit[] = [
  { destination: 'mailtrap', of: /^\/mailtrap\/api/, requests: 150 * SCALE, perMs: 10_000 },
  { destination: 'sendry', of: /^\/sendry\/v1/, requests: 50, perMs: 1_000 },
  { destination: 'brevo', of: /^\/brevo\/contacts/, requests: 10 * SCALE, perMs: 1_000 },
  { destination: 'brevo', of: /^\/brevo\/events/, requests: 10 * SCALE, perMs: 1_000 },
  { destination: 'webhook', of: /^\/webhook/, requests: 50, perMs: 1_000 },
];

/**
 * YAML of `destinations`.
 * @param proxy the URL before the sandbox
 */
export function destinationsYaml({ together, policy }: Setup, sandbox: Sandbox, proxy: string): string {
  const from = together === 0 ? `'off'` : together;
  const common = `on_delete: ${policy}`;
  return `  mailtrap:
    api_token: ${sandbox.of('mailtrap').token}
    base_url: ${proxy}/mailtrap
    requests_per_minute: 100000
    limits_scale: ${SCALE}
    import_from: ${from}
    ${common}
  sendry:
    api_key: ${sandbox.of('sendry').token}
    base_url: ${proxy}/sendry
    lists: [Everybody]
    requests_per_second: 50
    upsert_keeps_unsubscribed: ${together > 0}
    import_from: ${from}
    ${common}
  brevo:
    api_key: ${sandbox.of('brevo').token}
    base_url: ${proxy}/brevo
    import_list: Everybody
    limits_scale: ${SCALE}
    import_from: ${from}
    ${common}
  webhook:
    url: ${proxy}/webhook
    secret: ${SECRET}
    requests_per_second: 50
    ${common}
`;
}
