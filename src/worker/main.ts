/**
 * The I/O thread's entry point: opens the port, reports to the thread that waits for it, runs the loop, cleans up.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { announce, setBootPortId } from '../atomics/flag.js';
import { stopRequested } from '../atomics/io-sleep.js';
import { loadAddon } from '../native.js';
import { Boot, BootState, type IoThreadConfiguration, type IoThreadData } from '../protocol/control.js';
import { CloseMode } from '../protocol/port-records.js';
import { Control } from './clients/control.js';
import { Service } from './clients/service.js';
import { keepErrorFields } from './clients/service-errors.js';
import { takeSubmissions } from './clients/submissions.js';
import { Port } from './loop/port.js';
import { Selector } from './loop/selector.js';
import { TurnLoop } from './loop/turn-loop.js';

const SUBMISSION_RECORDS = 4096;
const COMPLETION_RECORDS = 256;

class IoThreadMain {
  readonly portId: number;
  readonly #selector: Selector;
  readonly #ioHeader: Int32Array;
  readonly #loop: TurnLoop;
  readonly #control: Control;
  #closing = false;

  constructor(configuration: IoThreadConfiguration, ioHeader: Int32Array) {
    this.#ioHeader = ioHeader;
    const addon = loadAddon(configuration.addonPath);
    const native = addon.openPort(configuration.backend, SUBMISSION_RECORDS, COMPLETION_RECORDS);
    this.portId = native.id;
    this.#selector = new Selector(addon, new Port(native), configuration);
    this.#loop = new TurnLoop(this.#selector, this.#ioHeader, configuration.spinUs);
    const service = new Service(this.#selector, () => {
      this.#closing = true;
    });
    this.#control = new Control(this.#selector, configuration, this.#ioHeader, service);
  }

  async run(): Promise<void> {
    while (!this.#closing && this.#loop.run()) await this.#control.handle();
    if (this.#closing) this.#flush();
    for (const session of this.#selector.sessions()) session.gone();
    this.#control.close();
    this.#selector.port.native.close();
  }

  /**
   * `ioThread.close()`: nobody new finds this I/O thread, every client is told, then what they wrote before is flushed. Each
   * stream does so for `lingerMs` at most and is then reset, so this ends by itself.
   */
  #flush(): void {
    this.#selector.port.native.withdraw();
    const sessions = [...this.#selector.sessions()];
    for (const session of sessions) {
      takeSubmissions(session, Number.POSITIVE_INFINITY);
      session.gone();
      session.drain(CloseMode.FLUSHED);
    }
    const { transfers, kept } = this.#selector;
    transfers.close();
    kept.close();
    while (
      (sessions.some((session) => session.sourceCount > 0) || transfers.size + kept.size > 0) &&
      !stopRequested(this.#ioHeader)
    ) {
      this.#control.refuse();
      this.#loop.turn();
    }
  }
}

const { boot, ioHeader, failure, options } = workerData as IoThreadData;
const bootWords = new Int32Array(boot);
// An I/O thread is nobody's conversation partner: its parent's port must not keep it alive when it has ended.
parentPort?.unref();

keepErrorFields();

let main: IoThreadMain | undefined;
try {
  main = new IoThreadMain(options, new Int32Array(ioHeader));
  setBootPortId(bootWords, main.portId);
  announce(bootWords, Boot.STATE, BootState.READY);
} catch (error) {
  const { message, code } = error as NodeJS.ErrnoException;
  new TextEncoder().encodeInto(JSON.stringify({ message, code }), new Uint8Array(failure));
  announce(bootWords, Boot.STATE, BootState.FAILED);
}
void main?.run();
