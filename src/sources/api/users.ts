import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { RollcallError } from '../../core/errors.ts';
import type { Answered } from './project.ts';
import { textOf } from './text-of.ts';
import { type Client, isBroken, LONGEST_PAGE } from './client.ts';

/** Takes a page of users. */
export type OnUsers = (users: readonly JsonObject[]) => Promise<void>;

/** How the Admin API of a project pages. */
export interface UserPages {
  /** Learned by the first reading; undefined before. */
  cursor: boolean | undefined;
  /** Users a page: fewer where they are large. */
  size: number;
}

/** The oldest first, so that who comes meanwhile comes at the end; or the newest. */
export type Order = 'asc' | 'desc';

/** More are not asked for in one page. */
export const MOST_AT_ONCE = 50_000;
/** Who comes while the page is asked for. */
const SPARE = 100;
const LONGEST_LIST = 128 * 2 ** 20;

/** No limit is in the code of Auth; a cursor's page has no more (auth:internal/api/pagination.go). */
export const MOST_USERS = 1_000;
/** So often a page is read again because those before it moved; whoever is missed then is found by the next reading. */
const MOST_RETURNS = 3;

const PATH = '/auth/v1/admin/users';

/**
 * Reads all users, the oldest first, each at least once; of one who came or went meanwhile nothing is promised. Pages by offset shift
 * when somebody before them is deleted: so behind each page the last user of the one before is looked up at their place, and if another
 * one stands there, that page is read again. The `Link` header and what supabase-js makes of it are not looked at.
 * @returns how many there are, as the server says at the end; undefined where it does not
 * @throws RollcallError `RC_API_USERS`, and what `Client.ask` throws
 */
export async function readUsers(
  client: Client,
  pages: UserPages,
  onUsers: OnUsers,
  order: Order = 'asc',
): Promise<number | undefined> {
  if (pages.cursor !== false) {
    const first = await client.ask(`${PATH}?limit=${MOST_USERS}`);
    pages.cursor = paginationOf(first) !== undefined;
    if (pages.cursor) return await byCursor(client, first, onUsers);
  }
  return await byOffset(client, pages, onUsers, order);
}

/**
 * Reads all users in one page. Users with one time of creation, as those of an import, come in an order of their own on each page, so that one of
 * them may be on none: models.FindUsersInAudience sorts by that time alone. Only a page without borders is sure to have them.
 * @throws as `readUsers`
 */
export async function readUsersAtOnce(client: Client, total: number, onUsers: OnUsers): Promise<void> {
  const asked = `${PATH}?page=1&per_page=${total + SPARE}&sort=${encodeURIComponent('created_at asc')}`;
  const answer = await client.ask(asked, { longest: LONGEST_LIST });
  const users = usersIn(answer);
  if (users === undefined) throw unreadable(client.host, answer);
  for (let n = 0; n < users.length; n += MOST_USERS) await onUsers(users.slice(n, n + MOST_USERS));
}

/** One user; `gone` when Auth itself says that there is no such user, undefined when nothing can be said. */
export async function readUser(client: Client, id: string): Promise<JsonObject | 'gone' | undefined> {
  const { status, json } = await client.ask(`${PATH}/${encodeURIComponent(id)}`);
  if (status === 200 && isJsonObject(json) && json['id'] !== undefined) return json;
  // A gateway that knows no such path says 404 too.
  const says = isJsonObject(json) ? [json['error_code'], json['msg'], json['message']] : [];
  return status === 404 && says.some((word) => word === 'user_not_found' || word === 'User not found')
    ? 'gone'
    : undefined;
}

async function byCursor(client: Client, first: Answered, onUsers: OnUsers): Promise<undefined> {
  for (let answer = first; ;) {
    const users = usersIn(answer);
    if (users === undefined) throw unreadable(client.host, answer);
    await onUsers(users);
    const next = paginationOf(answer);
    if (next === undefined || next === '') return undefined;
    answer = await client.ask(`${PATH}?limit=${MOST_USERS}&cursor=${encodeURIComponent(next)}`);
  }
}

async function byOffset(client: Client, pages: UserPages, onUsers: OnUsers, order: Order): Promise<number | undefined> {
  /** By page: the last user of it, as it was read. */
  let lasts: string[] = [];
  let returns = 0;
  let furthest = 0;
  for (let page = 1; ;) {
    const answer = await pageOf(client, page, pages.size, order);
    const users = usersIn(answer);
    if (users === undefined) {
      if (answer.body.length < LONGEST_PAGE / 4 || pages.size === 1) throw unreadable(client.host, answer);
      // It was cut. The places of the pages are others from here on.
      const read = (page - 1) * pages.size;
      pages.size = Math.ceil(pages.size / 2);
      page = Math.floor(read / pages.size) + 1;
      lasts = [];
      continue;
    }
    if (page > furthest) {
      furthest = page;
      returns = 0;
    }
    const before = lasts[page - 1];
    if (
      before !== undefined &&
      returns < MOST_RETURNS &&
      !(await stands(client, (page - 1) * pages.size, before, order))
    ) {
      returns += 1;
      page -= 1;
      lasts = lasts.slice(0, page);
      continue;
    }
    await onUsers(users);
    const total = totalOf(answer);
    const read = (page - 1) * pages.size + users.length;
    if (users.length < pages.size) {
      if (users.length === 0 || total === undefined || read >= total) return total;
      // Something between us and Auth gives fewer than were asked for.
      pages.size = users.length;
      page = Math.floor(read / pages.size);
      lasts = [];
    } else lasts[page] = idOf(users.at(-1));
    page += 1;
  }
}

/** Whether a user stands at a place of the whole list, the first being 1. */
async function stands(client: Client, place: number, id: string, order: Order): Promise<boolean> {
  return idOf(usersIn(await pageOf(client, place, 1, order))?.[0]) === id;
}

function pageOf(client: Client, page: number, size: number, order: Order): Promise<Answered> {
  return client.ask(`${PATH}?page=${page}&per_page=${size}&sort=${encodeURIComponent(`created_at ${order}`)}`);
}

function usersIn({ status, json }: Answered): readonly JsonObject[] | undefined {
  const users = status === 200 && isJsonObject(json) ? json['users'] : undefined;
  return Array.isArray(users) ? (users as readonly JsonObject[]) : undefined;
}

/** The next cursor: empty where the answer is the last page, undefined where it has none. */
function paginationOf({ json }: Answered): string | undefined {
  const found = isJsonObject(json) ? json['pagination'] : undefined;
  if (!isJsonObject(found)) return undefined;
  const next = found['next_cursor'];
  return found['has_more'] === true && typeof next === 'string' ? next : '';
}

function totalOf({ headers }: Answered): number | undefined {
  const total = Number(headers['x-total-count'] ?? Number.NaN);
  return Number.isInteger(total) ? total : undefined;
}

function idOf(user: JsonObject | undefined): string {
  return textOf(user?.['id']);
}

function unreadable(host: string, answer: Answered): RollcallError {
  const { status } = answer;
  return new RollcallError('RC_API_USERS', `The Admin API of ${host} gives no list of users (HTTP ${status}).`, {
    hint: isBroken(answer)
      ? "Users that were inserted by SQL may have null tokens: update auth.users set confirmation_token = coalesce(confirmation_token, ''), recovery_token = coalesce(recovery_token, ''), email_change_token_new = coalesce(email_change_token_new, ''), email_change = coalesce(email_change, '');"
      : 'Is api_key a secret key of this project? See the logs of the project (dashboard, Logs, Auth).',
  });
}
