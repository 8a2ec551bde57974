/** One thread of the chat: serves its guests, tells the main thread what they say, and tells them what anybody says. */
import { parentPort, workerData } from 'node:worker_threads';
import {
  type DetachedStream,
  Interest,
  IoThread,
  Poll,
  Sender,
  type SharedIoThread,
  type SharedSender,
  TcpStream,
} from 'sideport';

export interface RoomData {
  readonly ioThread: SharedIoThread;
  readonly room: number;
  readonly sender: SharedSender;
}

/** One line of one guest. */
export interface Said {
  readonly guest: number;
  readonly line: string;
}

type FromMain = { readonly guest: number; readonly stream: DetachedStream } | { readonly said: Said };

interface Guest {
  readonly stream: TcpStream;
  /** What it has begun to say. */
  text: string;
}

const { ioThread, room, sender: shared } = workerData as RoomData;
const poll = new Poll({ ioThread: IoThread.from(ioThread) });
const sender = Sender.from<Said>(shared);
const guests = new Map<number, Guest>();

parentPort?.on('message', (message: FromMain) => {
  if ('said' in message) {
    // A guest who reads too slowly misses lines: this is a chat, not a ledger.
    for (const { stream } of guests.values()) stream.write(Buffer.from(`${message.said.line}\n`));
    return;
  }
  const stream = TcpStream.attach(message.stream);
  guests.set(message.guest, { stream, text: '' });
  poll.registry.register(stream, message.guest, Interest.READABLE);
  stream.write(Buffer.from(`welcome to room ${room}\n`));
});

const into = Buffer.alloc(4096);
for await (const { token } of poll) {
  const guest = guests.get(token);
  if (guest && !listen(token, guest)) {
    guests.delete(token);
    guest.stream.close();
  }
}

/** False when the guest has left. */
function listen(token: number, guest: Guest): boolean {
  for (;;) {
    let count: number | null;
    try {
      count = guest.stream.read(into);
    } catch {
      return false;
    }
    if (count === null) return true;
    if (count === 0) return false;
    guest.text += into.toString('utf8', 0, count);
    const lines = guest.text.split('\n');
    guest.text = lines.pop() ?? '';
    for (const line of lines) sender.trySend({ guest: token, line });
  }
}
