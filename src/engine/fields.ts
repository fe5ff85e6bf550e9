import type { AttributePlan, Auth, Exchange, FieldPlan, RemoteField } from '../core/destination.ts';
import { RollcallError } from '../core/errors.ts';
import type { AttributeType } from '../core/mapping.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Send } from './ports.ts';
import { readAnswer } from './read-answer.ts';

/** A field to be created at a destination. */
export interface NewField {
  readonly name: string;
  readonly type: AttributeType;
  /** The destination's own word for the type. */
  readonly remoteType: string;
}

/** What has to happen to a destination's fields before the attributes of a plan can be stored in them. */
export interface FieldChanges {
  /** Missing fields for which there is room. */
  readonly create: readonly NewField[];
  /** Fields that exist with a type which can't hold the attribute; both types in the destination's own words. */
  readonly mismatched: readonly { readonly name: string; readonly wanted: string; readonly found: string }[];
  /** Missing fields beyond the destination's maximum. */
  readonly tooMany: readonly string[];
}

/** What is needed to talk about the fields of one destination. */
export interface FieldAccess<Config> {
  /** The name in the config, for messages. */
  readonly name: string;
  readonly fields: FieldPlan<Config>;
  readonly config: Config;
  readonly auth: Auth;
  readonly send: Send;
  /** Waits that many ms. */
  readonly pause: (ms: number) => Promise<void>;
  /** Told before each wait, so that it can be shown. */
  readonly onWait?: ((ms: number, why: string) => void) | undefined;
}

const DEADLINE_MS = 15_000;
const MOST_TRIES = 6;
const FIRST_WAIT_MS = 500;
/** No single wait is longer, whatever is asked for: a person sits in front of this. */
const LONGEST_WAIT_MS = 65_000;

/** Compares the attributes of a plan with the fields a destination has. Pure. */
export function planFields<Config>(
  plan: AttributePlan,
  remoteFields: readonly RemoteField[],
  destination: Pick<FieldPlan<Config>, 'typeFor' | 'nameFor' | 'max'>,
): FieldChanges {
  const found = new Map(remoteFields.map((field) => [field.name, field.type]));
  const missing: NewField[] = [];
  const mismatched: FieldChanges['mismatched'][number][] = [];
  for (const [name, type] of Object.entries(plan)) {
    const wanted = destination.typeFor(type);
    const has = found.get(destination.nameFor?.(name) ?? name);
    if (has === undefined) missing.push({ name, type, remoteType: wanted });
    else if (!holds(has, type, destination)) mismatched.push({ name, wanted, found: has });
  }
  const room = Math.max(0, destination.max - remoteFields.length);
  return { create: missing.slice(0, room), mismatched, tooMany: missing.slice(room).map((field) => field.name) };
}

/** A whole number can be kept where fractions can. */
function holds(has: string, type: AttributeType, { typeFor }: Pick<FieldPlan<never>, 'typeFor'>): boolean {
  return has === typeFor(type) || (type === 'integer' && has === typeFor('float'));
}

/**
 * What stands in the way of the changes, as an error; undefined when they can be made.
 * @param mayCreate false when the config says `create_missing: false`
 */
export function fieldsProblem(
  changes: FieldChanges,
  at: { readonly name: string; readonly max: number },
  mayCreate: boolean,
): RollcallError | undefined {
  if (changes.mismatched.length > 0) {
    const listed = changes.mismatched.map((f) => `${f.name} (is ${f.found}, must be ${f.wanted})`).join(', ');
    return new RollcallError(
      'RC_FIELD_TYPE',
      `Fields at ${at.name} have another type than their attributes: ${listed}.`,
      {
        hint: 'Set `type:` of the attribute to the type the field has, or map it to a field of another name: the type of a field can never be changed.',
        place: { path: `destinations.${at.name}` },
      },
    );
  }
  const missing = [...changes.create.map((f) => f.name), ...changes.tooMany];
  if (!mayCreate && missing.length > 0) {
    return new RollcallError('RC_FIELDS_MISSING', `${at.name} lacks fields that are mapped: ${missing.join(', ')}.`, {
      hint: 'Create them there, or write create_missing: [fields] so that `rollcall apply` does it.',
      place: { path: `destinations.${at.name}` },
    });
  }
  if (changes.tooMany.length > 0) {
    return new RollcallError(
      'RC_FIELD_LIMIT',
      `${at.name} keeps at most ${at.max} fields, and there is no room for: ${changes.tooMany.join(', ')}.`,
      {
        hint: 'Delete fields there that nothing uses, or map fewer attributes.',
        place: { path: `destinations.${at.name}` },
      },
    );
  }
  return undefined;
}

/**
 * Reads the fields a destination has.
 * @throws RollcallError `RC_FIELDS_UNREADABLE`
 */
export async function readFields<Config>(access: FieldAccess<Config>): Promise<readonly RemoteField[]> {
  const read = await exchange(access, () => access.fields.list(access.config));
  if (read.ok) return read.value;
  throw new RollcallError(
    'RC_FIELDS_UNREADABLE',
    `The fields of ${access.name} can't be read: ${words(read.outcome)}`,
    {
      hint: 'Check the key, its scope and base_url; `--skip-destinations` leaves the destinations out.',
      place: { path: `destinations.${access.name}` },
    },
  );
}

/**
 * Creates fields one after the other. One that somebody else created in the meantime with the right type counts as created.
 * @throws RollcallError `RC_FIELD_REFUSED` with the destination's own words, `RC_FIELD_LIMIT`, `RC_FIELD_TYPE`
 */
export async function createFields<Config>(access: FieldAccess<Config>, create: readonly NewField[]): Promise<void> {
  for (const field of create) {
    const made = await exchange(access, () => access.fields.create(field.name, field.type, access.config));
    if (made.ok) continue;
    const now = planFields({ [field.name]: field.type }, await readFields(access), access.fields);
    if (now.create.length === 0 && now.mismatched.length === 0 && now.tooMany.length === 0) continue;
    const problem = fieldsProblem(now, { name: access.name, max: access.fields.max }, true);
    if (problem !== undefined) throw problem;
    throw new RollcallError(
      'RC_FIELD_REFUSED',
      `${access.name} did not create the field ${field.name} (${field.remoteType}): ${words(made.outcome)}`,
      { hint: 'Create it there by hand, or map the attribute to another name.', place: { path: field.name } },
    );
  }
}

type Answer<Value> = ReturnType<Exchange<Value>['interpret']>;

/** One exchange, repeated while the destination asks to wait or does not answer; a bounded number of times. */
async function exchange<Config, Value>(
  access: FieldAccess<Config>,
  make: () => Exchange<Value>,
): Promise<Answer<Value>> {
  const made = make();
  for (let tries = 1; ; tries += 1) {
    const sent = await access.send(made.request, access.auth, { deadlineMs: DEADLINE_MS });
    const answer = readAnswer(made, sent);
    if (answer.ok || tries === MOST_TRIES) return answer;
    const { outcome } = answer;
    // After an unknown outcome the field may exist: a repetition is refused then, and the caller looks.
    if (outcome.kind !== 'throttle' && outcome.kind !== 'retry' && outcome.kind !== 'unknown') return answer;
    const backoff = FIRST_WAIT_MS * 2 ** (tries - 1);
    const ms = Math.min(LONGEST_WAIT_MS, Math.max(outcome.retryAfterMs ?? 0, backoff));
    access.onWait?.(ms, outcome.kind === 'throttle' ? 'it asks for fewer requests' : 'it did not answer');
    await access.pause(ms);
  }
}

function words(outcome: Outcome): string {
  return outcome.kind === 'delivered' ? 'the answer could not be understood.' : outcome.message;
}
