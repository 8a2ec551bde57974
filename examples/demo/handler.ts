/** What a server does with a connection's bytes, whatever carries them: every server of the demo runs this same code. */
import { HttpHandler } from './http.js';

/** What to send for what was received. */
export interface Reply {
  /** Valid until the next call. */
  readonly bytes: Uint8Array;
  /** Nothing follows: the server ends its side of the connection. */
  readonly last: boolean;
}

/** One connection's state. */
export interface Handler {
  receive(bytes: Uint8Array): Reply;
  /** The peer has ended its side. */
  end(): Reply;
}

/** `'sniff'` takes HTTP for HTTP and echoes everything else. */
export type Protocol = 'echo' | 'http' | 'sniff';

export function handlerFor(protocol: Protocol): Handler {
  switch (protocol) {
    case 'echo':
      return new EchoHandler();
    case 'http':
      return new HttpHandler();
    case 'sniff':
      return new SniffingHandler();
  }
}

const NOTHING = new Uint8Array(0);

class EchoHandler implements Handler {
  receive(bytes: Uint8Array): Reply {
    return { bytes, last: false };
  }

  end(): Reply {
    return { bytes: NOTHING, last: true };
  }
}

const HTTP_BEGINNINGS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'].map(
  (name) => `${name} /`,
);

/** Holds bytes back only while they may still become either. */
class SniffingHandler implements Handler {
  #held = '';
  #handler: Handler | undefined;

  receive(bytes: Uint8Array): Reply {
    if (this.#handler) return this.#handler.receive(bytes);
    this.#held += Buffer.from(bytes).toString('latin1');
    if (HTTP_BEGINNINGS.some((beginning) => this.#held.startsWith(beginning))) return this.#become(new HttpHandler());
    if (HTTP_BEGINNINGS.some((beginning) => beginning.startsWith(this.#held))) return { bytes: NOTHING, last: false };
    return this.#become(new EchoHandler());
  }

  end(): Reply {
    if (this.#handler) return this.#handler.end();
    return { bytes: Buffer.from(this.#held, 'latin1'), last: true };
  }

  #become(handler: Handler): Reply {
    this.#handler = handler;
    return handler.receive(Buffer.from(this.#held, 'latin1'));
  }
}
