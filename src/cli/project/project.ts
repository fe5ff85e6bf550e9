import type { Auth } from '../../core/destination.ts';
import { type Json, parseJson } from '../../core/json.ts';
import type { Send } from '../../engine/ports.ts';
import { error, type Finding } from '../doctor/finding.ts';

/** A Supabase project as its APIs are asked. */
export interface Project {
  /** Without a slash at its end. */
  readonly url: string;
  /** A secret. */
  readonly key: string;
  readonly send: Send;
  /** The Management API, with a token that may read the project; undefined where there is none. */
  readonly management: { readonly url: string; readonly token: string; readonly ref: string } | undefined;
}

/** What came of a question. */
export type Answer =
  | {
      readonly answered: true;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      /** The body as JSON; undefined where it is none. */
      readonly json: Json | undefined;
    }
  | { readonly answered: false; readonly code: string };

/** One line of the test: what is read is read once, and what follows is decided without looking again. */
export interface ProjectCheck<Facts> {
  readonly area: string;
  /** Never throws. */
  read(project: Project): Promise<Facts>;
  /** Pure. Undefined: there was nothing to look at, for the reason that comes with it. */
  judge(facts: Facts, project: Pick<Project, 'url'>): Finding | { readonly skipped: string };
}

const DEADLINE_MS = 10_000;

/** A GET below the project's URL. */
export function ask({ url, key, send }: Project, path: string, accept = 'application/json'): Promise<Answer> {
  // A new key stands in `apikey` alone: it is no JWT. An old one is, and PostgREST takes the role from the bearer token
  // (Supabase's documentation, "Understanding API keys", "Known limitations").
  const bearer: Record<string, string> = isJwt(key) ? { authorization: `Bearer ${key}` } : {};
  return get(send, { url: `${url}${path}`, headers: { accept, ...bearer }, auth: { header: 'apikey', value: key } });
}

/** A GET as it is. */
export async function get(
  send: Send,
  request: { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly auth: Auth },
): Promise<Answer> {
  // A self-hosted project may stand in a network of one's own.
  const sent = await send(
    { method: 'GET', url: request.url, headers: request.headers, body: null, allowPrivate: true },
    request.auth,
    { deadlineMs: DEADLINE_MS },
  );
  if (!sent.answered) return { answered: false, code: 'code' in sent.outcome ? sent.outcome.code : 'no answer' };
  const { status, headers, body } = sent.response;
  return { answered: true, status, headers, body, json: jsonOf(body) };
}

/** What kind of key it is, by its form; that of a JWT says its role. */
export function keyKind(key: string): 'secret' | 'publishable' | 'unknown' {
  if (key.startsWith('sb_secret_')) return 'secret';
  if (key.startsWith('sb_publishable_')) return 'publishable';
  if (!isJwt(key)) return 'unknown';
  const claims = jsonOf(Buffer.from(key.split('.')[1] ?? '', 'base64url').toString('utf8'));
  const role = typeof claims === 'object' && claims !== null && 'role' in claims ? claims['role'] : undefined;
  return role === 'service_role' ? 'secret' : role === 'anon' ? 'publishable' : 'unknown';
}

/** What an answer means that is not the one that was hoped for; undefined where it is (a 200). Pure. */
export function problemOf(answer: Answer, what: string, url: string): Finding | undefined {
  const host = hostOf(url);
  if (!answer.answered) {
    return error(
      'RC_PROJECT_AWAY',
      `${what}: ${host} can't be reached (${answer.code}).`,
      'Check connectors.supabase.project_url, and the network of this machine. A paused project does not answer.',
    );
  }
  const { status } = answer;
  if (status === 200) return undefined;
  if (status === 401 || status === 403) {
    return error(
      'RC_PROJECT_KEY',
      `${what}: ${host} refuses the key (HTTP ${status}).`,
      'Take a secret key (sb_secret_...) of this project from Settings, API Keys, and put it where connectors.supabase.api_key takes it from.',
    );
  }
  if (status === 404) {
    return error(
      'RC_PROJECT_NOT_FOUND',
      `${what}: ${host} has no such service (HTTP 404).`,
      'Is connectors.supabase.project_url the address of a Supabase project, as https://<ref>.supabase.co?',
    );
  }
  return error(
    'RC_PROJECT_ANSWER',
    `${what}: ${host} answers with HTTP ${status}.`,
    'See the logs of the project (dashboard, Logs), and status.supabase.com.',
  );
}

export function hostOf(url: string): string {
  return new URL(url).host;
}

export function isJwt(key: string): boolean {
  return /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(key);
}

function jsonOf(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
