/**
 * A small HTTP/1.1 responder: `/` answers, nothing else is there.
 *
 * ```
 *   head ──complete, Content-Length: n──► body: skip n bytes ──► head (keep-alive, pipelining)
 *     └──bad request, Connection: close, end of the client's side──► over: whatever follows is ignored
 * ```
 */
import { STATUS_CODES } from 'node:http';
import type { Handler, Reply } from './handler.js';
import { BadRequest, parseHead, type RequestHead } from './http-head.js';

/** Longer heads are refused. */
const HEAD_BYTES_MAX = 16_384;
const HEAD_END = /\r?\n\r?\n/;
const HELLO = 'Hello from the demo of sideport.\n';

export class HttpHandler implements Handler {
  /** Of a request that is not complete; latin1, so a character is a byte. */
  #text = '';
  #skipBytes = 0;
  #over = false;

  receive(bytes: Uint8Array): Reply {
    let answers = '';
    if (!this.#over) this.#text += Buffer.from(bytes).toString('latin1');
    while (!this.#over && this.#skipBody()) {
      const answer = this.#next();
      if (answer === undefined) break;
      answers += answer;
    }
    return { bytes: Buffer.from(answers, 'latin1'), last: this.#over };
  }

  end(): Reply {
    this.#over = true;
    return { bytes: new Uint8Array(0), last: true };
  }

  /** True when the next head may begin. */
  #skipBody(): boolean {
    const count = Math.min(this.#skipBytes, this.#text.length);
    this.#text = this.#text.slice(count);
    this.#skipBytes -= count;
    return this.#skipBytes === 0;
  }

  /** The answer to the first request of the text; undefined while it is not complete. */
  #next(): string | undefined {
    // Empty lines before a request are to be ignored (RFC 9112, 2.2).
    this.#text = this.#text.replace(/^(\r?\n)+/, '');
    const end = HEAD_END.exec(this.#text);
    const headLength = end?.index ?? this.#text.length;
    if (headLength > HEAD_BYTES_MAX) return this.#refuse(431);
    if (!end) return undefined;
    const text = this.#text.slice(0, headLength);
    this.#text = this.#text.slice(headLength + end[0].length);
    const response = this.#respond(text);
    // A HEAD is answered like a GET, Content-Length included, without the body.
    return text.startsWith('HEAD ') ? response.slice(0, response.indexOf('\r\n\r\n') + 4) : response;
  }

  #respond(text: string): string {
    try {
      return this.#answer(parseHead(text));
    } catch (error) {
      if (error instanceof BadRequest) return this.#refuse(error.status);
      throw error;
    }
  }

  #answer({ method, path, keepAlive, contentLength }: RequestHead): string {
    this.#skipBytes = contentLength;
    this.#over = !keepAlive;
    if (method !== 'GET' && method !== 'HEAD') return this.#response(405, undefined, 'Allow: GET, HEAD\r\n');
    return path === '/' ? this.#response(200, HELLO) : this.#response(404);
  }

  /** Where a request that was not understood ends, and the next begins, is unknown. */
  #refuse(status: number): string {
    this.#over = true;
    return this.#response(status);
  }

  #response(status: number, body = `${status} ${STATUS_CODES[status]}\n`, headers = ''): string {
    return (
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nDate: ${new Date().toUTCString()}\r\n` +
      `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n${headers}` +
      `Connection: ${this.#over ? 'close' : 'keep-alive'}\r\n\r\n${body}`
    );
  }
}
