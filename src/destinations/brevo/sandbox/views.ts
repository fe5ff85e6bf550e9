import type { JsonObject } from '../../../core/json.ts';
import type { ShownContact, ShownEvent } from '../../../sandbox/stand-in.ts';
import type { ContactAttribute, ContactList, Folder, Store, StoredContact, StoredEvent } from './store.ts';

function time(ms: number): string {
  return new Date(ms).toISOString();
}

/** A contact as the API shows it (`GetContactDetails`). */
export function contactView(contact: StoredContact): JsonObject {
  return {
    ...(contact.email === null ? {} : { email: contact.email }),
    id: contact.id,
    emailBlacklisted: contact.emailBlacklisted,
    smsBlacklisted: contact.smsBlacklisted,
    whatsappBlacklisted: false,
    createdAt: time(contact.createdAt),
    modifiedAt: time(contact.updatedAt),
    listIds: [...contact.lists],
    attributes: { ...contact.attributes },
  };
}

function counts(): JsonObject {
  // No longer filled, as the vendor's documents say.
  return { totalBlacklisted: 0, totalSubscribers: 0 };
}

export function listView(list: ContactList, store: Store): JsonObject {
  let members = 0;
  for (const contact of store.contacts()) if (contact.lists.has(list.id)) members += 1;
  return { id: list.id, name: list.name, folderId: list.folderId, uniqueSubscribers: members, ...counts() };
}

export function folderView({ id, name }: Folder): JsonObject {
  return { id, name, uniqueSubscribers: 0, ...counts() };
}

export function attributeView({ name, category, type, options }: ContactAttribute): JsonObject {
  return {
    name,
    category,
    ...(type === null ? {} : { type }),
    ...(type === 'multiple-choice' ? { multiCategoryOptions: options } : {}),
  };
}

/** A contact as the sandbox shows those of every API. */
export function shownContact(contact: StoredContact, store: Store): ShownContact {
  return {
    id: String(contact.id),
    address: contact.email ?? '',
    status: contact.emailBlacklisted ? 'unsubscribed' : 'subscribed',
    attributes: { ...contact.attributes },
    lists: Array.from(contact.lists, (id) => store.lists.get(id)?.name ?? String(id)),
    createdAt: contact.createdAt,
    updatedAt: contact.updatedAt,
  };
}

/** An event as the sandbox shows those of every API. */
export function shownEvent(event: StoredEvent): ShownEvent {
  return { ...event };
}
