import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { WebSocketServer } from 'ws';
import { createRealtime } from './local-project.ts';
import { OPENAPI, rowsSql } from './postgrest.ts';

/** The APIs of a Supabase project as an engine with keys alone meets them. */
export interface ApiProject {
  readonly url: string;
  readonly secretKey: string;
  /** What a test lets go wrong. */
  readonly faults: ApiFaults;
  /** Methods, paths and queries that were asked for. */
  readonly asked: string[];
  /** Tells whoever has subscribed to the table of a row, as Realtime would. */
  inserted(table: string, record: object): void;
  /** Resolves once somebody has subscribed to a table. */
  subscribed(table: string): Promise<void>;
  /** Headers of the last request. */
  lastHeaders(): IncomingMessage['headers'];
  close(): Promise<void>;
}

export interface ApiFaults {
  /** Called before each answer; a number is given as the status, with these headers and this body. */
  before?:
    | ((
        path: string,
      ) => Promise<{ status: number; headers?: Record<string, string>; body?: unknown } | undefined | void>)
    | undefined;
  /** `db-max-rows`. */
  maxRows: number;
  /** Most users a page, as a server between us and Auth may have it. */
  maxUsers: number;
  /** Auth pages by a cursor. */
  cursor: boolean;
}

export interface ApiProjectOptions {
  /** Of the project's database, as a superuser. */
  readonly databaseUrl: string;
  /** Serves the Data API's rows in place of the stand-in: @supabase/lite, with its secret key. */
  readonly rest?: { readonly url: string; readonly secretKey: string };
  /** Serves Auth's Admin API in place of the stand-in: a real GoTrue, below this URL. */
  readonly auth?: { readonly url: string; readonly key: string };
}

/**
 * A project for tests, over its real tables. Stand-ins of the documented answers: the Admin API (auth:internal/api/admin.go), the
 * description of the Data API, lists of Storage, messages of Realtime; and its rows, unless @supabase/lite serves them.
 */
export async function startApiProject(options: ApiProjectOptions): Promise<ApiProject> {
  const pool = new pg.Pool({ connectionString: options.databaseUrl, max: 4 });
  pool.on('error', () => undefined);
  const secretKey = 'sb_secret_of_the_stand-in';
  const faults: ApiFaults = { maxRows: 1_000, maxUsers: 100_000, cursor: false };
  const asked: string[] = [];
  let headers: IncomingMessage['headers'] = {};
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const code = (error as { code?: string }).code ?? 'XX000';
      send(response, code === '42P01' ? 404 : 400, { code, message: 'refused by Postgres', details: null, hint: null });
    });
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    headers = request.headers;
    asked.push(`${request.method} ${path}`);
    const fault = await faults.before?.(path);
    if (fault !== undefined && fault !== null) return send(response, fault.status, fault.body ?? {}, fault.headers);
    if (headers['apikey'] !== secretKey) return send(response, 401, { message: 'Invalid API key' });
    const url = new URL(path, 'http://x');
    if (url.pathname.startsWith('/auth/v1/admin/users')) return await users(url, response);
    if (url.pathname === '/rest/v1/')
      return send(response, 200, await description(String(headers['accept-profile'] ?? 'public')));
    if (url.pathname.startsWith('/rest/v1/')) return await rows(url, response);
    const body = await bodyOf(request);
    if (url.pathname === '/storage/v1/bucket')
      return send(response, 200, await all('select id, id as name from storage.buckets order by 1'));
    if (url.pathname.startsWith('/storage/v1/object/list/'))
      return send(response, 200, await files(decodeURIComponent(url.pathname.split('/').at(-1)!), body));
    return send(response, 404, { message: 'no such path' });
  }
  async function all(sql: string, values: readonly unknown[] = []): Promise<object[]> {
    return (await pool.query<object>(sql, [...values])).rows;
  }
  async function users(url: URL, response: ServerResponse): Promise<void> {
    if (options.auth !== undefined) {
      const { url: to, key } = options.auth;
      const passed = await fetch(to + url.pathname.replace('/auth/v1', '') + url.search, {
        headers: { authorization: `Bearer ${key}` },
      });
      const total = passed.headers.get('x-total-count');
      response.writeHead(passed.status, {
        'content-type': 'application/json',
        ...(total === null ? {} : { 'x-total-count': total }),
      });
      return void response.end(await passed.text());
    }
    const id = url.pathname.split('/')[5];
    if (id !== undefined) {
      const [found] = await all(`select ${USER} as "user" from auth.users u where u.id = $1`, [id]);
      if (found === undefined)
        return send(response, 404, { code: 404, error_code: 'user_not_found', msg: 'User not found' });
      return raw(response, (found as { user: string }).user);
    }
    const { searchParams: query } = url;
    if (faults.cursor && !query.has('page')) {
      const [at = '-infinity', after = '00000000-0000-0000-0000-000000000000'] = (query.get('cursor') ?? '')
        .split(' ')
        .filter(Boolean);
      const limit = Number(query.get('limit'));
      const page = await all(
        `select ${USER} as "user", u.created_at::text || ' ' || u.id as place from auth.users u
          where (u.created_at, u.id) > ($1::timestamptz, $2::uuid) order by u.created_at, u.id limit $3`,
        [at, after, limit],
      );
      const next = page.length === limit ? (page.at(-1) as { place: string }).place.replace(' ', '_') : null;
      const list = page.map((each) => (each as { user: string }).user).join(',');
      return raw(
        response,
        `{"users":[${list}],"pagination":${JSON.stringify({ has_more: next !== null, next_cursor: next })}}`,
      );
    }
    const size = Math.min(faults.maxUsers, Number(query.get('per_page') ?? 50));
    const page = Number(query.get('page') ?? 1);
    const down = query.get('sort') === 'created_at asc' ? '' : 'desc';
    const { rows: found } = await pool.query<{ user: string }>(
      `select ${USER} as "user" from (select * from auth.users order by created_at ${down} limit $1 offset $2) u order by u.created_at ${down}`,
      [size, (page - 1) * Number(query.get('per_page') ?? 50)],
    );
    const { rows: count } = await pool.query<{ n: string }>('select count(*) as n from auth.users');
    response.setHeader('x-total-count', count[0]!.n);
    return raw(response, `{"users":[${found.map(({ user }) => user).join(',')}],"aud":"authenticated"}`);
  }
  async function description(schema: string): Promise<object> {
    const [row] = await all(OPENAPI, [schema]);
    return (row as { description: object }).description;
  }
  async function rows(url: URL, response: ServerResponse): Promise<void> {
    if (options.rest !== undefined) {
      const { url: to, secretKey: apikey } = options.rest;
      const passed = await fetch(`${to}${url.pathname}${url.search}`, { headers: { apikey } });
      response.writeHead(passed.status, { 'content-type': 'application/json' });
      return void response.end(await passed.text());
    }
    const { text, values } = rowsSql(
      decodeURIComponent(url.pathname.slice('/rest/v1/'.length)),
      String(headers['accept-profile'] ?? 'public'),
      url.searchParams,
      faults.maxRows,
    );
    const { rows: found } = await pool.query<{ body: string }>(text, [...values]);
    return raw(response, found[0]!.body);
  }
  async function files(
    bucket: string,
    body: { prefix: string; search: string; limit: number; offset: number },
  ): Promise<object[]> {
    const prefix = body.prefix === '' ? '' : `${body.prefix}/`;
    return await all(
      `select name, id, created_at, updated_at, metadata from (
         select distinct on (1) split_part(substr(o.name, length($2) + 1), '/', 1) as name,
                case when strpos(substr(o.name, length($2) + 1), '/') = 0 then o.id end as id, o.created_at, o.updated_at, o.metadata
           from storage.objects o where o.bucket_id = $1 and starts_with(o.name, $2) order by 1) x
        where starts_with(name, $3) order by name limit $4 offset $5`,
      [bucket, prefix, body.search, body.limit, body.offset],
    );
  }
  const sockets = new WebSocketServer({ server, path: '/realtime/v1/websocket' });
  const realtime = createRealtime(sockets);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    secretKey,
    faults,
    asked,
    ...realtime,
    lastHeaders: () => headers,
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
      await pool.end();
    },
  };
}

/** A user as the Admin API writes it (auth:internal/models/user.go): no empty address is null, and times are RFC 3339. */
const USER = `(jsonb_strip_nulls(jsonb_build_object('aud', u.aud, 'role', u.role, 'invited_at', u.invited_at, 'confirmed_at', u.confirmed_at,
  'email_confirmed_at', u.email_confirmed_at, 'phone_confirmed_at', u.phone_confirmed_at, 'last_sign_in_at', u.last_sign_in_at,
  'created_at', u.created_at, 'updated_at', u.updated_at, 'banned_until', u.banned_until, 'deleted_at', u.deleted_at)) ||
  jsonb_build_object('id', u.id, 'email', coalesce(u.email, ''), 'phone', coalesce(u.phone, ''), 'is_anonymous', u.is_anonymous,
  'app_metadata', coalesce(u.raw_app_meta_data, '{}'), 'user_metadata', coalesce(u.raw_user_meta_data, '{}'), 'identities', '[]'::jsonb))::text`;

async function bodyOf(request: IncomingMessage): Promise<never> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString() || '{}') as never;
}

function raw(response: ServerResponse, body: string): void {
  response.setHeader('content-type', 'application/json');
  response.end(body);
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
