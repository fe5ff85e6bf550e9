import { expect, test } from 'vitest';
import { Book } from './book.ts';
import type { Message } from './message.ts';

const order = { epoch: 1, version: 1 };

function told(id: string, address: string, previous: readonly string[] = []): Message {
  return { type: 'upserted', id, order, address, previous, consent: 'basis', attributes: {} };
}

test.each(['upserted', 'deleted', 'unsubscribed'] as const)(
  'whoever else is at an address of a contact that is %s has lost it',
  (type) => {
    const book = new Book(
      () => 0,
      () => undefined,
      () => undefined,
    );
    book.take('1', told('ann', 'a@x.y'));
    book.take('2', told('ben', 'b@x.y'));
    book.take('3', told('cat', 'c@x.y'));
    const about = { ...told('eve', 'A@x.y', ['b@x.y']), type } as Message;
    book.take('4', about);
    expect([...book.contacts.keys()]).toEqual(type === 'upserted' ? ['cat', 'eve'] : ['cat']);
  },
);
