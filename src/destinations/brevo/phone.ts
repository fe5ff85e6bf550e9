/** Attributes that hold a phone number (@getbrevo/brevo 6.0.3, `createContact`; help.brevo.com, "Format your contact import file"). */
export const PHONES: ReadonlySet<string> = new Set(['SMS', 'WHATSAPP', 'LANDLINE_NUMBER']);

/** Whether an attribute holds a phone number. Names are in upper case. */
export function isPhone(name: string): boolean {
  return PHONES.has(name);
}

/**
 * A phone number as E.164 (at most 15 digits, the first of them not 0). Brevo takes `91..`, `+91..` and `0091..`; Supabase keeps
 * numbers without the plus. A number without its country would be another person's: that is none.
 */
export function e164(text: string): string | undefined {
  // `+49 (0)151`: the 0 is dialled at home only, and would make another number.
  if (/\(0+\)/.test(text)) return undefined;
  const bare = text.replaceAll(/[\s().\-/]/g, '');
  const digits = /^(?:\+|00)?([1-9]\d{6,14})$/.exec(bare)?.[1];
  return digits === undefined ? undefined : `+${digits}`;
}
