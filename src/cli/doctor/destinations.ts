import type { Config, DestinationConfig } from '../../config/types.ts';
import type { AttributePlan } from '../../core/destination.ts';
import { failureOf } from '../../core/failure.ts';
import type { Send } from '../../engine/ports.ts';
import { registry } from '../../destinations/registry.ts';
import { configured } from '../../homes/configured.ts';
import type { ResolvedConfig } from '../../homes/resolve-options.ts';
import { type DestinationPlan, planDestinations } from '../apply-plan.ts';
import { error, type Finding, ok, warn } from './finding.ts';

/** What a destination says to its own question, which writes nothing. */
export type Probe =
  | { readonly kind: 'none' }
  | { readonly kind: 'yes' }
  | { readonly kind: 'no'; readonly code: string; readonly refused: boolean };

export interface DestinationFacts {
  readonly name: string;
  readonly probe: Probe;
  /** Its fields and lists; undefined where it refused the question before. */
  readonly plan: DestinationPlan | undefined;
  /** Whether the types of the attributes are known: without a database they are not. */
  readonly typed: boolean;
}

const DEADLINE_MS = 10_000;

/**
 * Asks a destination whether it is there, takes the key, and has the fields and lists that the config names.
 * @param attributes with their types; undefined where no database tells them
 */
export async function readDestination(
  entry: DestinationConfig,
  config: Config,
  attributes: AttributePlan | undefined,
  send: Send,
): Promise<DestinationFacts> {
  const { name } = entry;
  const probe = await ask(entry, config, send);
  const typed = attributes !== undefined;
  if (probe.kind === 'no') return { name, probe, plan: undefined, typed };
  const resolved: ResolvedConfig = { config, problems: new Map() };
  const [plan] = await planDestinations(
    resolved,
    (other) => other === name,
    attributes ?? {},
    send,
    () => undefined,
  );
  return { name, probe, plan, typed };
}

async function ask(entry: DestinationConfig, config: Config, send: Send): Promise<Probe> {
  const found = configured(config, entry.name, registry);
  const request = found?.destination.probe(entry.options) ?? null;
  if (found === undefined || request === null) return { kind: 'none' };
  const sent = await send(request, found.destination.auth(entry.options), { deadlineMs: DEADLINE_MS });
  if (!sent.answered) return { kind: 'no', code: 'no answer', refused: false };
  const failure = failureOf(sent.response, { name: entry.name, words: () => '' });
  if (failure === undefined) return { kind: 'yes' };
  return { kind: 'no', code: failure.code, refused: failure.kind === 'config' };
}

/** What follows for one destination. Pure. */
export function judgeDestination({ name, probe, plan, typed }: DestinationFacts): readonly Finding[] {
  if (probe.kind === 'no') {
    return probe.refused
      ? [
          error(
            'RC_DESTINATION_REFUSES',
            `${name} refuses us (${probe.code}): the key is wrong, or lacks a scope.`,
            `Make a key with full access there, put it where destinations.${name} takes it from, and restart the workers.`,
          ),
        ]
      : [
          error(
            'RC_DESTINATION_AWAY',
            `${name} can't be reached (${probe.code}).`,
            `Check base_url of destinations.${name} and the network of this machine; what is due waits meanwhile.`,
          ),
        ];
  }
  const findings: Finding[] = [];
  const { problem, fields, lists } = plan ?? {};
  if (problem !== undefined) findings.push(error(problem.code, problem.message, problem.hint ?? 'rollcall apply'));
  const missing = fields?.changes.create.map((field) => field.name) ?? [];
  if (problem === undefined && missing.length > 0) {
    findings.push(
      warn('RC_FIELDS_MISSING', `${name} lacks fields that are mapped: ${missing.join(', ')}.`, 'rollcall apply'),
    );
  }
  if (lists !== undefined && lists.create.length > 0) {
    findings.push(
      warn(
        'RC_LIST_UNKNOWN',
        `${name} lacks lists that the config names: ${lists.create.join(', ')}.`,
        'rollcall apply',
      ),
    );
  }
  if (findings.length > 0) return findings;
  if (probe.kind === 'none') return [ok(`${name}: only a delivery can tell whether it is there`)];
  return [
    ok(
      typed
        ? `${name}: reachable, the key is taken, fields and lists are there`
        : `${name}: reachable, and the key is taken`,
    ),
  ];
}
