import { isJsonObject, type Json, type JsonObject, parseJson, renderJson } from '../../../src/core/json.ts';
import { ApiRequest } from '../../../src/sandbox/api-request.ts';
import type { StandIn } from '../../../src/sandbox/stand-in.ts';
import makeStandIn from '../../../src/destinations/sendry/sandbox/index.ts';

const TOKEN = 'sn_live_full';

export interface Answer {
  readonly status: number;
  readonly body: JsonObject;
  readonly headers: Readonly<Record<string, string>>;
}

/** A stand-in with a client. */
export interface Bed {
  readonly standIn: StandIn;
  /** Requests are handled as the server hands them over. */
  readonly send: (
    method: string,
    path: string,
    body?: Json,
    options?: { key?: string; refused?: readonly string[]; headers?: Record<string, string> },
  ) => Answer;
  /** Creates a contact. @returns its id */
  readonly made: (email: string, more?: JsonObject) => string;
  /** What listeners were told. */
  readonly told: readonly string[];
  /** Lets time pass. */
  readonly later: (ms: number) => void;
}

export function bed(settings: Record<string, unknown> = {}, limitsScale = Infinity): Bed {
  const told: string[] = [];
  let now = Date.parse('2026-05-06T07:08:09Z');
  const standIn = makeStandIn({
    token: TOKEN,
    limitsScale,
    now: () => now,
    url: () => 'http://127.0.0.1:1/sendry',
    jobStepMs: 0,
    settings,
    onContact: (kind, { address }) => told.push(`${kind} ${address}`),
    onEvent: ({ name, key }) => told.push(`event ${name} ${key ?? ''}`.trim()),
  });
  const send = (
    method: string,
    path: string,
    body?: Json,
    { key = TOKEN, refused = [] as readonly string[], headers = {} as Record<string, string> } = {},
  ): Answer => {
    const [place = '', search = ''] = path.split('?');
    const text = body === undefined ? '' : typeof body === 'string' ? body : renderJson(body);
    const request = new ApiRequest(method, place, { authorization: `Bearer ${key}`, ...headers }, text, search);
    const reply = standIn.gate(request) ?? standIn.handle(request, (address) => refused.includes(address));
    const read = parseJson(typeof reply.body === 'string' ? reply.body : 'null');
    return { status: reply.status, body: isJsonObject(read) ? read : {}, headers: reply.headers ?? {} };
  };
  const made = (email: string, more: JsonObject = {}): string =>
    textAt(send('POST', '/v1/contacts', { email, ...more }), 'id');
  const later = (ms: number): void => {
    now += ms;
  };
  return { standIn, send, made, told, later };
}

/** A text in an answer. */
export function textAt({ body }: Answer, name: string): string {
  const value = body[name];
  if (typeof value !== 'string') throw new TypeError(`no text: ${name}`);
  return value;
}
