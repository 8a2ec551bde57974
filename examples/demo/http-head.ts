/** The head of an HTTP/1.1 request: request line and header fields (RFC 9112). */

export interface RequestHead {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** The connection serves further requests after this one. */
  readonly keepAlive: boolean;
  /** Bytes of body that follow the head. */
  readonly contentLength: number;
}

/** The request is answered with `status`, and the connection ends. */
export class BadRequest extends Error {
  readonly status: number;

  constructor(status = 400) {
    super(`HTTP status ${status}`);
    this.status = status;
  }
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const REQUEST_LINE = new RegExp(`^(${TOKEN}) ([!-~]+) HTTP/(\\d)\\.(\\d)$`);
// No blank before the colon, no line folding: both have been used to smuggle requests past proxies.
const FIELD = new RegExp(`^(${TOKEN}):([\\t -~\\x80-\\xff]*)$`);

/** `text` is everything before the empty line. @throws BadRequest */
export function parseHead(text: string): RequestHead {
  const [requestLine = '', ...lines] = text.split(/\r?\n/);
  const [, method, target, major, minor] = REQUEST_LINE.exec(requestLine) ?? [];
  if (method === undefined || target === undefined) throw new BadRequest();
  if (major !== '1') throw new BadRequest(505);
  const fields = parseFields(lines);
  // HTTP/1.1 wants exactly one Host; HTTP/1.0 knew none.
  const hosts = fields.get('host') ?? [];
  if (hosts.length > 1 || (hosts.length === 0 && minor !== '0')) throw new BadRequest();
  const isReading = method === 'GET' || method === 'HEAD';
  // A body in a transfer coding is not decoded, so where the next request begins is unknown.
  const encoded = fields.has('transfer-encoding');
  if (encoded && isReading) throw new BadRequest(501);
  // A client that expects "100 Continue" and gets a final answer may send the body or not.
  const framed = !encoded && !fields.has('expect');
  return {
    method,
    path: pathOf(target),
    keepAlive: framed && wantsKeepAlive(fields, minor === '0'),
    contentLength: framed ? contentLengthOf(fields) : 0,
  };
}

function parseFields(lines: readonly string[]): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new BadRequest();
    const key = name.toLowerCase();
    fields.set(key, [...(fields.get(key) ?? []), value.trim()]);
  }
  return fields;
}

/** Origin form, `/path?query`, or absolute form, `http://host/path?query`. */
function pathOf(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?#]+/i, '').replace(/[?#].*$/, '');
  return path === '' ? '/' : path;
}

function wantsKeepAlive(fields: Map<string, string[]>, isOld: boolean): boolean {
  const options = (fields.get('connection') ?? []).flatMap((value) => value.toLowerCase().split(/[ \t]*,[ \t]*/));
  if (options.includes('close')) return false;
  return !isOld || options.includes('keep-alive');
}

function contentLengthOf(fields: Map<string, string[]>): number {
  const values = new Set(fields.get('content-length') ?? ['0']);
  const [value = ''] = values;
  if (values.size !== 1 || !/^\d{1,15}$/.test(value)) throw new BadRequest();
  return Number(value);
}
