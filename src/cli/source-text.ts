import type { SourceItem } from './source-list.ts';
import { duration, wrap } from './layout.ts';

/** A line for each source: `orders: events order_placed on insert; contact by customer_id -> customers`. */
export function renderSources(items: readonly SourceItem[], width: number): string {
  return items.map((item) => wrap(`${item.table}: ${describe(item).join('; ')}`, width, '    ').slice(2)).join('\n');
}

function describe(item: SourceItem): readonly string[] {
  switch (item.as) {
    case 'contacts':
      return [
        `contacts by ${item.contact ?? ['foreign key to auth.users', ...given(item.email)].join(', else ')}`,
        ...condition('where', item.where),
        ...again(item.again),
      ];
    case 'aggregates':
      return [
        `attributes ${item.attributes.join(', ')}`,
        contact(item),
        ...condition('where', item.where),
        ...again(item.again),
      ];
    case 'events':
      return [
        `events ${item.event}${item.on.length === 1 && item.on[0] === item.event ? '' : ` on ${item.on.join(', ')}`}`,
        item.sent ? contact(item) : 'not sent, as nothing leads to a contact',
        ...condition('when', item.when),
        ...properties(item.properties),
      ];
  }
}

function contact(item: SourceItem): string {
  return item.contact === null ? 'contact found by foreign key or name' : `contact by ${item.contact}`;
}

function properties(of: (SourceItem & { as: 'events' })['properties']): string[] {
  return of === null || of.length === 0
    ? []
    : [of.map(({ from, to }) => (from === to ? to : `${from} -> ${to}`)).join(', ')];
}

function condition(word: string, sql: string | null): string[] {
  return sql === null ? [] : [`${word} ${sql}`];
}

function again(of: (SourceItem & { as: 'contacts' })['again']): string[] {
  if (of === null) return [];
  const when = [
    ...(of.tables.length === 0 ? [] : [`when ${of.tables.join(' or ')} changes`]),
    ...(of.every_ms === null ? [] : [`every ${duration(of.every_ms / 1000)}`]),
  ];
  return [`looked at again ${when.join(' and ')}`];
}

function given(text: string | null): string[] {
  return text === null ? [] : [text];
}
