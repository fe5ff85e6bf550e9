import { expect } from 'vitest';
import { parseJson, renderJson, type Json } from '../../src/core/json.ts';
import { startSandbox, type Sandbox, type SandboxOptions } from '../support/mailtrap-sandbox.ts';
import { describeMismatch } from './openapi.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON with exact numbers; undefined when it is empty or no JSON. */
  readonly json: Json | undefined;
}

/** A sandbox with a client whose every answer is checked against the vendor's description. */
export interface TestBed {
  readonly sandbox: Sandbox;
  /** Calls the API with the right token. */
  call(method: string, path: string, body?: Json | string, headers?: Record<string, string>): Promise<Answer>;
  /** Calls the control API with the right key. */
  control(method: string, path: string, body?: Json): Promise<Answer>;
}

const open: Sandbox[] = [];

/** Starts a sandbox with the vendor's limits lifted, unless they are given. */
export async function testBed(options: SandboxOptions = {}): Promise<TestBed> {
  const sandbox = await startSandbox({ limitsScale: Infinity, ...options });
  open.push(sandbox);
  return {
    sandbox,
    call: async (method, path, body, headers = { authorization: `Bearer ${sandbox.token}` }) => {
      const answer = await send(sandbox.apiUrl + path, method, body, headers);
      expect(describeMismatch(method, path, answer.status, answer.text)).toBeNull();
      return answer;
    },
    control: async (method, path, body) =>
      await send(sandbox.url + path, method, body, { authorization: `Bearer ${sandbox.controlKey}` }),
  };
}

/** Ends every sandbox a test started; for `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const sandbox of open.splice(0)) await sandbox.close();
}

async function send(
  url: string,
  method: string,
  body: Json | string | undefined,
  headers: Record<string, string>,
): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : renderJson(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, json: parsed(text) };
}

function parsed(text: string): Json | undefined {
  try {
    return text === '' ? undefined : parseJson(text);
  } catch {
    return undefined;
  }
}
