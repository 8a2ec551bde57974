/** The file of a Unix socket: it goes with the socket, also when several threads share that. */
import { firstSharer, joinSharers, leaveSharers } from '../../atomics/sharers.js';
import { fail } from '../../errors.js';
import type { SharedFile } from '../../protocol/transfer.js';
import { removeUnixName } from './unix-name.js';

export class SocketFile {
  readonly #path: string;
  /** Undefined while it was not shared. */
  #sharers: Int32Array<SharedArrayBuffer> | undefined;

  constructor(path: string, sharers?: Int32Array<SharedArrayBuffer>) {
    this.#path = path;
    this.#sharers = sharers;
  }

  /** Shares another thread's, if there is one, with what `join` makes; it is counted before, or its last sharer could remove it under us. @throws ERR_SIDEPORT_CLOSED */
  static joining<Made>(
    name: { readonly file?: SharedFile | undefined },
    join: (file: SocketFile | undefined) => Made,
  ): Made {
    if (!name?.file) return join(undefined);
    const { path, sharers } = name.file;
    const word = new Int32Array(sharers);
    if (!joinSharers(word)) throw fail('ERR_SIDEPORT_CLOSED');
    const file = new SocketFile(path, word);
    try {
      return join(file);
    } catch (error) {
      file.leave();
      throw error;
    }
  }

  /** Of a sharer that is here now in another's place: counted already. */
  static inherited({ file }: { readonly file?: SharedFile | undefined }): SocketFile | undefined {
    return file && new SocketFile(file.path, new Int32Array(file.sharers));
  }

  share(): SharedFile {
    if (!this.#sharers) {
      this.#sharers = new Int32Array(new SharedArrayBuffer(4));
      firstSharer(this.#sharers);
    }
    return { path: this.#path, sharers: this.#sharers.buffer };
  }

  /** The socket is closed here: once. */
  leave(): void {
    if (!this.#sharers || leaveSharers(this.#sharers)) removeUnixName(this.#path);
  }
}
