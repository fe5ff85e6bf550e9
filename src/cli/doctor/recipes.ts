import type { ForeignTrigger } from './trigger-facts.ts';

export type RecipeName = 'sendry' | 'mailtrap' | 'tajo';

/** A trigger of one of the recipes that Rollcall replaces. */
export interface RecipeTrigger {
  readonly recipe: RecipeName;
  readonly trigger: ForeignTrigger;
  /** Beginnings of the URLs it posts to, as far as its text tells. */
  readonly urls: readonly string[];
  /** What is wrong with it, each as the end of a sentence. */
  readonly wrong: readonly string[];
}

/** Recipes by what they do: names can be others. Of `recipes/` in the order of the issue. */
const SIGNS: Readonly<Record<RecipeName, { readonly body: RegExp; readonly url: RegExp; readonly name: RegExp }>> = {
  sendry: {
    body: /\bsendry\.(?:online|com|io|dev)\b|\bsendry_(?:api_key|audience_id)\b/i,
    url: /^https?:\/\/(?:[^/]+\.)?sendry\./i,
    name: /(?:^|_)sync_(?:user_to_)?sendry|sendry_sync/i,
  },
  mailtrap: {
    body: /\bmailtrap\.io\b|\/functions\/v1\/(?:create|update)[-_]contact\b/i,
    url: /^https?:\/\/(?:[^/]+\.)?mailtrap\.io|\/functions\/v1\/(?:create|update)[-_]contact\/?(?:$|\?)/i,
    name: /^(?:create|update)[-_]contact$/i,
  },
  tajo: {
    body: /\btajo\.(?:io|com|app|dev|ai)\b|\btajo_api_key\b/i,
    url: /^https?:\/\/(?:[^/]+\.)?tajo\./i,
    name: /(?:^|_)tajo(?:_|$)/i,
  },
};

/** Runs the `net` extension from inside the app's transaction, or a Database Webhook, which does the same. */
const SENDS = /\bhttp_(?:post|request)\b|\bhttp\s*\(/i;

/**
 * Recognises the triggers of the three recipes, by the address they send to and by what their function does; by the name alone only
 * where it sends requests at all. Pure.
 * @param named triggers that somebody says belong to one, as `schema.table.trigger`
 */
export function recipeTriggers(
  triggers: readonly ForeignTrigger[],
  named: readonly string[] = [],
): readonly RecipeTrigger[] {
  return triggers.flatMap((trigger) => {
    const recipe = recipeOf(trigger) ?? (named.includes(fullName(trigger)) ? 'mailtrap' : undefined);
    return recipe === undefined ? [] : [{ recipe, trigger, urls: urlsOf(trigger), wrong: wrongWith(trigger, recipe) }];
  });
}

/** `schema.table.trigger`. */
export function fullName({ table, name }: Pick<ForeignTrigger, 'table' | 'name'>): string {
  return `${table}.${name}`;
}

function recipeOf(trigger: ForeignTrigger): RecipeName | undefined {
  const text = bodyOf(trigger);
  const webhook = isWebhook(trigger);
  if (!webhook && !SENDS.test(text)) return undefined;
  const [url = ''] = trigger.args;
  for (const recipe of ['sendry', 'mailtrap', 'tajo'] as const) {
    const { body, url: address, name } = SIGNS[recipe];
    if (webhook ? address.test(url) || name.test(trigger.name) : body.test(text) || name.test(trigger.name))
      return recipe;
  }
  return undefined;
}

/** A Database Webhook of the dashboard. */
export function isWebhook({ function: name }: ForeignTrigger): boolean {
  return name === 'supabase_functions.http_request';
}

function bodyOf({ body, callees }: ForeignTrigger): string {
  return [body, ...callees].join('\n');
}

function urlsOf(trigger: ForeignTrigger): readonly string[] {
  if (isWebhook(trigger)) return trigger.args.slice(0, 1);
  return [...new Set(bodyOf(trigger).match(/https?:\/\/[^\s'"]+/g) ?? [])];
}

function wrongWith(trigger: ForeignTrigger, recipe: RecipeName): readonly string[] {
  const onUsers = trigger.table === 'auth.users';
  const text = bodyOf(trigger);
  const own = isWebhook(trigger) ? [] : functionFaults(trigger, text);
  return [
    ...own,
    ...(isWebhook(trigger) && onUsers ? ['posts the whole row, with the password hash and all tokens'] : []),
    'is sent once and never again: pg_net forgets what fails, and a crash empties its queue',
    ...(trigger.events.includes('delete') ? [] : ['never says that somebody was deleted']),
    ...(recipe === 'mailtrap' && trigger.events.includes('update')
      ? ['subscribes whoever has left again at each edit (`unsubscribed: false`)']
      : []),
    ...(recipe === 'tajo' ? ['needs the service key at another company'] : []),
  ];
}

function functionFaults({ body }: ForeignTrigger, text: string): readonly string[] {
  return [
    ...(catches(body) ? [] : ['stops the sign-up when anything in it fails']),
    ...(/decrypted_secret/i.test(text)
      ? ["writes the API key in plain text into pg_net's queue, which every role may read"]
      : []),
    ...(/\bnew\.email\b/i.test(text) && !/email\s+is\s+(?:not\s+)?null/i.test(text)
      ? ['sends people without an address']
      : []),
  ];
}

/** Whether an error inside a function of PL/pgSQL is caught. */
export function catches(body: string): boolean {
  return /\bexception\s+when\b/i.test(body);
}
