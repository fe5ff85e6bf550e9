import type { Exchange } from '../../core/destination.ts';
import { type Json, isJsonObject, type JsonObject, renderJson } from '../../core/json.ts';
import { idsOfLists, idsOfSegments } from '../../core/list-names.ts';
import type { ListPlan, MembersChanged, RemoteList } from '../../core/lists.ts';
import { cut, JSON_HEADERS } from '../../core/wire.ts';
import type { BrevoConfig } from './config.ts';
import { failureOf, readProblem, stopped } from './failure.ts';
import { get, LISTS } from './paths.ts';
import { objectIn, rowsIn } from './reads.ts';

/** Most lists of a page (drupal.org/node/3583452: the API caps it at 50), and most addresses of one change (older SDK documents). */
const PAGE = 50;
const MOST_MEMBERS = 150;
// "Contact already in list and/or does not exist" (APIv3-php-library, issue 47), and its like for a removal.
export const NOTHING_TO_DO: RegExp = /\balready\b.*\blist\b|\bnot in (?:the )?list\b|\bdoes not exist\b/i;

function list({ id, name }: JsonObject): RemoteList[] {
  return typeof id === 'number' && typeof name === 'string' ? [{ id, name }] : [];
}

function failed(response: JsonObject | undefined): readonly string[] {
  const contacts = response?.['contacts'];
  const failure = isJsonObject(contacts) ? contacts['failure'] : undefined;
  return Array.isArray(failure) ? (failure as readonly Json[]).filter((each) => typeof each === 'string') : [];
}

function resolved(listed: readonly (number | string)[], known: readonly RemoteList[]): readonly number[] {
  return idsOfLists('Brevo', listed, known).filter((id) => typeof id === 'number');
}

/** Lists: read by pages, made in a folder, joined and left by at most 150 addresses a request. */
export const lists: ListPlan<BrevoConfig> = {
  all(config, page = '0') {
    const offset = Number(page);
    return {
      request: get(config, `${LISTS}?limit=${PAGE}&offset=${offset}&sort=asc`),
      interpret(response): ReturnType<ReturnType<typeof lists.all>['interpret']> {
        const rows = rowsIn(response, 'lists');
        if (rows === undefined) return stopped(response);
        const next = rows.length < PAGE ? undefined : String(offset + PAGE);
        return { ok: true, value: { lists: rows.flatMap(list), next } };
      },
    };
  },
  create: (name, config) => ({
    request: {
      method: 'POST',
      url: config.base_url + LISTS,
      headers: JSON_HEADERS,
      body: renderJson({ name, folderId: config.folder }),
    },
    interpret(response): ReturnType<Exchange<RemoteList>['interpret']> {
      const id = objectIn(response)?.['id'];
      if (typeof id === 'number') return { ok: true, value: { id, name } };
      const failure = failureOf(response);
      if (failure === undefined || !/folder/i.test(failure.message)) return stopped(response);
      const message = cut(
        `Brevo has no folder ${config.folder}: set \`folder\` to the id of one. It said: ${failure.message}`,
      );
      return { ok: false, outcome: { kind: 'config', code: 'unknown_folder', message } };
    },
  }),
  names: ({ lists: listed, import_list: own, segment_lists: kept = {} }) =>
    [...listed, own, ...Object.values(kept)].filter((each) => typeof each === 'string'),
  segments: true,
  resolve(config, known) {
    const { import_list: own } = config;
    const ids = Object.freeze(resolved(config.lists, known));
    const [imported] = own === undefined ? [] : resolved([own], known);
    // Where `lists` names none, imports put everybody on this one.
    const everybodys = ids.length > 0 || imported === undefined ? ids : [imported];
    const kept = config.segment_lists && idsOfSegments('Brevo', config.segment_lists, known, everybodys);
    return Object.freeze({
      ...config,
      lists: ids,
      ...(imported === undefined ? {} : { import_list: imported }),
      ...(kept === undefined ? {} : { segment_lists: kept }),
    });
  },
  members: {
    most: MOST_MEMBERS,
    change: (change, id, addresses, config) => ({
      request: {
        method: 'POST',
        url: `${config.base_url}${LISTS}/${id}/contacts/${change}`,
        headers: JSON_HEADERS,
        body: renderJson({ emails: addresses }),
      },
      interpret(response): ReturnType<Exchange<MembersChanged>['interpret']> {
        const json = objectIn(response);
        if (json !== undefined) return { ok: true, value: { failed: failed(json) } };
        // Said of all of them together; one that does not exist is in step once it is created, as that joins the lists.
        const done = response.status === 400 && NOTHING_TO_DO.test(readProblem(response).message);
        return done ? { ok: true, value: { failed: [] } } : stopped(response);
      },
    }),
  },
};
