import type { Json, JsonObject } from '../../../core/json.ts';
import type { ShownContact, ShownEvent } from '../../../sandbox/stand-in.ts';
import type { ContactEvent, ContactField, ContactList, Store, StoredContact } from './store.ts';

/** A contact as the API shows it. */
export interface SandboxContact {
  /** A UUID. */
  readonly id: string;
  readonly status: 'subscribed' | 'unsubscribed';
  readonly email: string;
  /** By merge tag; cleared fields are absent. */
  readonly fields: JsonObject;
  readonly list_ids: readonly number[];
  /** Milliseconds since the epoch, by the sandbox's clock. */
  readonly created_at: number;
  readonly updated_at: number;
}

export interface SandboxList {
  readonly id: number;
  readonly name: string;
}

export interface SandboxField {
  readonly id: number;
  readonly name: string;
  readonly data_type: string;
  readonly merge_tag: string;
}

export function contactView(contact: StoredContact, store: Store): SandboxContact {
  return {
    id: contact.id,
    status: store.isSuppressed(contact.email) ? 'unsubscribed' : 'subscribed',
    email: contact.email,
    fields: { ...contact.fields },
    list_ids: [...contact.lists],
    created_at: contact.createdAt,
    updated_at: contact.updatedAt,
  };
}

export function listView(list: ContactList): SandboxList {
  return { id: list.id, name: list.name };
}

export function fieldView(field: ContactField): SandboxField {
  return { id: field.id, name: field.name, data_type: field.dataType, merge_tag: field.mergeTag };
}

/** A view as JSON: the views hold nothing but JSON, which their interfaces can't say. */
export function asJson(view: SandboxContact | SandboxList | SandboxField): Json {
  return view as unknown as JsonObject;
}

/** A contact as the sandbox shows those of every API. */
export function shownContact(contact: StoredContact, store: Store): ShownContact {
  return {
    id: contact.id,
    address: contact.email,
    status: store.isSuppressed(contact.email) ? 'unsubscribed' : 'subscribed',
    attributes: { ...contact.fields },
    lists: Array.from(contact.lists, (id) => store.lists.get(id)?.name ?? String(id)),
    createdAt: contact.createdAt,
    updatedAt: contact.updatedAt,
  };
}

/** An event as the sandbox shows those of every API. */
export function shownEvent({ email, name, params, at }: ContactEvent): ShownEvent {
  return { address: email, name, properties: params, at };
}
