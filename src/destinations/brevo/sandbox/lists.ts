import type { ApiReply, ApiRequest } from '../../../sandbox/api-request.ts';
import type { Account } from './account.ts';
import { isReply, objectOf } from './contact-input.ts';
import { pageOf, slice } from './pages.ts';
import { missing, noContent, notJson, notThere, reply } from './replies.ts';
import { folderView, listView } from './views.ts';

const PAGE = { usual: 10, most: 50 } as const;

/** GET /contacts/lists and /contacts/folders/{id}/lists: 10 at a time, at most 50. */
export function getLists({ store }: Account, request: ApiRequest, folder?: number): ApiReply {
  const page = pageOf(request, PAGE);
  if (isReply(page)) return page;
  if (folder !== undefined && !store.folders.has(folder)) return notThere('Folder ID');
  const all = [...store.lists.values()].filter(({ folderId }) => folder === undefined || folderId === folder);
  return reply(200, { lists: slice(all, page).map((list) => listView(list, store)), count: all.length });
}

/** POST /contacts/lists: a folder is required. */
export function createList({ store }: Account, request: ApiRequest): ApiReply {
  const body = objectOf(request);
  if (body === null) return notJson;
  const { name, folderId } = body;
  if (typeof name !== 'string' || name.trim() === '') return missing('name is missing');
  if (typeof folderId !== 'number') return missing('folderId is missing');
  if (!store.folders.has(folderId)) return notThere('Folder ID');
  return reply(201, { id: store.addList(name, folderId).id });
}

export function oneList({ store }: Account, id: number, request: ApiRequest): ApiReply | null {
  const list = store.lists.get(id);
  if (list === undefined) return notThere('List ID');
  if (request.method === 'GET') {
    return reply(200, { ...listView(list, store), createdAt: new Date(store.now()).toISOString(), dynamicList: false });
  }
  if (request.method === 'DELETE') {
    store.removeList(id);
    return noContent;
  }
  if (request.method !== 'PUT') return null;
  const { name, folderId } = objectOf(request) ?? {};
  if (typeof name === 'string' && name !== '') list.name = name;
  if (typeof folderId === 'number' && store.folders.has(folderId)) list.folderId = folderId;
  return noContent;
}

/** GET and POST /contacts/folders. */
export function allFolders({ store }: Account, request: ApiRequest): ApiReply | null {
  if (request.method === 'GET') {
    const page = pageOf(request, PAGE);
    if (isReply(page)) return page;
    return reply(200, { folders: slice(store.folders.values(), page).map(folderView), count: store.folders.size });
  }
  if (request.method !== 'POST') return null;
  const name = objectOf(request)?.['name'];
  return typeof name === 'string' && name !== ''
    ? reply(201, { id: store.addFolder(name).id })
    : missing('name is missing');
}

export function oneFolder({ store }: Account, id: number, request: ApiRequest): ApiReply | null {
  const folder = store.folders.get(id);
  if (folder === undefined) return notThere('Folder ID');
  if (request.method === 'GET') return reply(200, folderView(folder));
  if (request.method !== 'DELETE') return null;
  store.folders.delete(id);
  for (const list of store.lists.values()) if (list.folderId === id) store.removeList(list.id);
  return noContent;
}
