/** Where bad input stands, as far as it is known. */
export interface Place {
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
  /** A dotted path into the config, `table.column`, or a destination field. */
  readonly path?: string;
}

/** Every mistake Rollcall reports on purpose: what happened, what it means, what to do, and a stable code. */
export class RollcallError extends Error {
  override readonly name = 'RollcallError';
  /** Stable and documented in docs/errors.md, for example `RC_CONFIG_INVALID`. */
  readonly code: string;
  /** What to do about it, as one sentence. */
  readonly hint: string | undefined;
  readonly place: Place | undefined;

  constructor(
    code: string,
    message: string,
    options: { hint?: string | undefined; place?: Place | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.place = options.place;
  }
}

/** `file:line:column` of a place, or its path, or an empty string. */
export function formatPlace(place: Place | undefined): string {
  if (place === undefined) return '';
  const position =
    place.line === undefined ? '' : `:${place.line}${place.column === undefined ? '' : `:${place.column}`}`;
  if (place.file !== undefined) return `${place.file}${position}`;
  return place.path ?? '';
}
