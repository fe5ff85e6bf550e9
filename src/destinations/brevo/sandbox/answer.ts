import type { ApiReply, ApiRequest } from '../../../sandbox/api-request.ts';
import type { Account } from './account.ts';
import { getAttributes, oneAttribute } from './attributes.ts';
import { changeMembers, getContacts, getMembers, updateMany } from './contact-lists.ts';
import { createContact, deleteContact, getContact, updateContact } from './contacts.ts';
import { createEvent, createEvents } from './events.ts';
import { createImport, getProcess } from './imports.ts';
import { allFolders, createList, getLists, oneFolder, oneList } from './lists.ts';
import { reply } from './replies.ts';
import type { Route } from './route.ts';

/** What an import needs beside the account. */
export interface ImportHooks {
  /** Whether a fault rule refuses this address. */
  readonly rejects: (address: string) => boolean;
  /** Somebody wants to be told when a process has ended. */
  readonly onEnd: (url: string, id: number) => void;
}

/** GET /account (`GetAccountResponse`). */
const ACCOUNT: ApiReply = reply(200, {
  organization_id: 'sandbox',
  user_id: 1,
  enterprise: false,
  companyName: 'Sandbox',
  email: 'owner@sandbox.invalid',
  firstName: 'Sandbox',
  lastName: 'Owner',
  plan: [{ type: 'free', credits: 300, creditsType: 'sendLimit' }],
  relay: { enabled: false, data: { userName: 'owner@sandbox.invalid', relay: 'smtp.sandbox.invalid', port: 587 } },
});

/** The answer to a request; null for a method that a path does not have. */
export function answer(
  account: Account,
  { to, names }: Route,
  request: ApiRequest,
  hooks: ImportHooks,
): ApiReply | null {
  const { method } = request;
  const name = names[0] ?? '';
  const id = Number(name);
  switch (to) {
    case 'contact':
      if (method === 'PUT') return updateContact(account, name, request);
      if (method === 'GET') return getContact(account, name, request);
      return method === 'DELETE' ? deleteContact(account, name, request) : null;
    case 'contacts':
      if (method === 'POST') return createContact(account, request);
      return method === 'GET' ? getContacts(account, request) : null;
    case 'batch':
      return method === 'POST' ? updateMany(account, request) : null;
    case 'import':
      return method === 'POST' ? createImport(account, request, hooks.rejects, hooks.onEnd) : null;
    case 'lists':
      if (method === 'POST') return createList(account, request);
      return method === 'GET' ? getLists(account, request) : null;
    case 'list':
      return oneList(account, id, request);
    case 'members':
      return method === 'GET' ? getMembers(account, id, request) : null;
    case 'join':
    case 'leave':
      return method === 'POST' ? changeMembers(account, id, to === 'join' ? 'add' : 'remove', request) : null;
    case 'folders':
      return allFolders(account, request);
    case 'folder':
      return oneFolder(account, id, request);
    case 'folder_lists':
      return method === 'GET' ? getLists(account, request, id) : null;
    case 'attributes':
      return method === 'GET' ? getAttributes(account) : null;
    case 'attribute':
      return oneAttribute(account, names, request);
    case 'process':
      return method === 'GET' ? getProcess(account, id) : null;
    case 'events':
      return method === 'POST' ? createEvent(account, request) : null;
    case 'event_batch':
      return method === 'POST' ? createEvents(account, request) : null;
    case 'account':
      return method === 'GET' ? ACCOUNT : null;
    default:
      return to satisfies never;
  }
}
