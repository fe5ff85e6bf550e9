// The lengths are bounded so that a long text without spaces costs linear time.
const URL_PASSWORD = /(:\/\/[^\s:/?#@]{0,128}:)[^\s/?#]{1,256}@/g;
// A word with an @ in it. A quote may stand inside it (o'brien@x.y); at one of /=?&{} the word ends, as URLs and JSON
// need it, so of a local part that holds one only the rest goes. What is left names nobody.
const EMAIL =
  /[^\s"'<>()[\]{},;:=\\/?&][^\s"<>()[\]{},;:=\\/?&]{0,63}(?:@|%40)[^\s"'<>()[\]{},;:=\\/?&]{1,255}|(?<!\[secret\])(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/gi;
const BEARER = /\b(bearer|basic|api-token|apikey)(["':\s]{1,4})[\w.~+/=-]{4,4096}/gi;
const NAMED_SECRET =
  /\b((?:api[_-]?)?(?:token|key|secret|password|passwd|pwd)["']?\s{0,2}[=:]\s{0,2}["']?)[^\s"',;&}]{3,4096}/gi;
const JWT = /\beyJ[\w-]{5,4096}\.[\w-]{1,4096}(?:\.[\w-]{0,4096})?/g;
const LONG_RUN = /[\w-]{24,4096}/g;
const PHONE = /\+\d(?:[ ().-]{0,2}\d){6,14}/g;
const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

/**
 * A text fit for a log: email addresses (also percent-encoded), phone numbers, passwords in URLs, tokens and whatever
 * looks like one are replaced by a word in brackets. UUIDs stay, they are how things are found again.
 *
 * This is the second net: what may be logged is chosen at the place that logs.
 * @param secrets texts to remove wherever they stand, for example the API token in use
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret.length > 0) clean = clean.replaceAll(secret, '[secret]');
  }
  return clean
    .replace(URL_PASSWORD, '$1[secret]@')
    .replace(JWT, '[secret]')
    .replace(BEARER, '$1$2[secret]')
    .replace(NAMED_SECRET, '$1[secret]')
    .replace(EMAIL, '[email]')
    .replace(PHONE, '[phone]')
    .replace(LONG_RUN, (run) => (!UUID.test(run) && looksRandom(run) ? '[secret]' : run));
}

/** Mixed letters and digits: what a token looks like and a word or a number does not. */
function looksRandom(run: string): boolean {
  return /\d.*\d/.test(run) && /[a-z]/i.test(run);
}
