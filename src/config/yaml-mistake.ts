interface Mistake {
  readonly message: string;
  readonly hint?: string | undefined;
}

const INDENT_HINT = 'Keys of one map start in the same column; use spaces.';
const QUOTE_HINT = 'Put the value in quotes.';

/** The parser's own messages quote the file, secrets included: these never do. Codes: the `yaml` package's `ErrorCode`. */
const MISTAKES: ReadonlyMap<string, Mistake> = new Map([
  ['TAB_AS_INDENT', { message: 'a tab is used as indentation', hint: 'YAML takes spaces only.' }],
  ['BAD_INDENT', { message: 'the indentation does not fit', hint: INDENT_HINT }],
  ['MISSING_CHAR', { message: 'a quote, bracket, colon or comma is missing' }],
  ['BLOCK_AS_IMPLICIT_KEY', { message: 'a second key stands on this line', hint: QUOTE_HINT }],
  ['MULTILINE_IMPLICIT_KEY', { message: 'a key must stand on one line, with a colon behind it' }],
  ['BLOCK_IN_FLOW', { message: 'a block cannot stand inside braces or brackets' }],
  ['BAD_SCALAR_START', { message: 'a value cannot start with this character', hint: QUOTE_HINT }],
  [
    'BAD_DQ_ESCAPE',
    { message: 'unknown escape sequence in double quotes', hint: 'Use single quotes, or double the backslash.' },
  ],
  ['MULTIPLE_DOCS', { message: 'the file holds several YAML documents', hint: 'Keep one: remove the line `---`.' }],
  ['MULTIPLE_ANCHORS', { message: 'a value can have one anchor only' }],
  ['MULTIPLE_TAGS', { message: 'a value can have one tag only' }],
  ['TAG_RESOLVE_FAILED', { message: 'tags (!name) are not supported', hint: QUOTE_HINT }],
  ['BAD_ALIAS', { message: 'this alias or anchor is malformed' }],
  ['BAD_DIRECTIVE', { message: 'unknown YAML directive' }],
  ['KEY_OVER_1024_CHARS', { message: 'a key can have 1,024 characters at most' }],
  ['RESOURCE_EXHAUSTION', { message: 'nested too deep' }],
  [
    'UNEXPECTED_TOKEN',
    { message: 'this does not belong here', hint: 'Check the indentation and the quotes around it.' },
  ],
]);

/** What a syntax error of the YAML parser means, in words that quote nothing from the file. */
export function yamlMistake(code: string): Mistake {
  return (
    MISTAKES.get(code) ?? { message: 'this is not valid YAML', hint: 'Check the indentation and the quotes around it.' }
  );
}
