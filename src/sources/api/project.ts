import type { Auth } from '../../core/destination.ts';
import type { Json } from '../../core/json.ts';
import { bearerOf } from '../../core/project-key.ts';
import { readJson } from '../../core/wire.ts';
import type { Send } from '../../engine/ports.ts';

/** A Supabase project as its APIs are asked. */
export interface Project {
  /** Without a slash at its end. */
  readonly url: string;
  /** A secret. */
  readonly key: string;
  readonly send: Send;
}

/** What came of a question. */
export type Answer = Answered | { readonly answered: false; readonly code: string };

/** An answer, whatever it says. */
export interface Answered {
  readonly answered: true;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The body as JSON; undefined where it is none. */
  readonly json: Json | undefined;
}

/** How a question is put, where it is no plain GET of JSON. */
export interface Asking {
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes it a POST. */
  readonly body?: Json;
  readonly signal?: AbortSignal | undefined;
  /** Longer answers are cut, in bytes; those of the transport when absent. */
  readonly longest?: number;
  readonly deadlineMs?: number;
}

const DEADLINE_MS = 10_000;

/** Asks something below the project's URL. */
export function ask({ url, key, send }: Project, path: string, asking: Asking = {}): Promise<Answer> {
  const headers = { accept: 'application/json', ...bearerOf(key), ...asking.headers };
  return get(send, { ...asking, url: `${url}${path}`, headers, auth: { header: 'apikey', value: key } });
}

/** Asks as it is: a GET, or a POST where there is a body. */
export async function get(
  send: Send,
  request: Asking & { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly auth: Auth },
): Promise<Answer> {
  const { url, body, signal, longest, deadlineMs = DEADLINE_MS } = request;
  const headers = body === undefined ? request.headers : { ...request.headers, 'content-type': 'application/json' };
  // A self-hosted project may stand in a network of one's own; link-local addresses are refused there too.
  const sent = await send(
    {
      method: body === undefined ? 'GET' : 'POST',
      url,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      allowPrivate: true,
    },
    request.auth,
    { deadlineMs, signal, longest },
  );
  if (!sent.answered) return { answered: false, code: 'code' in sent.outcome ? sent.outcome.code : 'no answer' };
  const { status, headers: found, body: text } = sent.response;
  return { answered: true, status, headers: found, body: text, json: readJson(text) };
}

/** The host of a URL, for messages. */
export function hostOf(url: string): string {
  return new URL(url).host;
}

/** What mends a key that the project refuses. */
export const KEY_HINT: string =
  'Take a secret key (sb_secret_...) of this project from Settings, API Keys, and put it where connectors.supabase.api_key takes it from.';
/** What mends a project that does not answer. */
export const AWAY_HINT: string =
  'Check connectors.supabase.project_url, and the network of this machine. A paused project does not answer.';
