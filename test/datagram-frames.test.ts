/** Frames in which a client hands datagrams over are not trusted. */
import test from 'ava';
import { CONTINUES, FRAME_BYTES, Frame } from '../src/protocol/datagram.js';
import { LITTLE_ENDIAN } from '../src/protocol/endian.js';
import type { FrameCorrupterData } from './fixtures/frame-corrupter.js';
import { ioThreadFor } from './util/io-thread.js';
import { TestThread } from './util/thread.js';

const ioThread = ioThreadFor(test);

/** A frame with an empty payload to nobody, changed. */
function frame(change: (view: DataView, bytes: Uint8Array) => void, length = FRAME_BYTES): Uint8Array {
  const bytes = new Uint8Array(length);
  change(new DataView(bytes.buffer), bytes);
  return bytes;
}

const corrupt: Record<string, Uint8Array> = {
  'shorter than a frame’s head': new Uint8Array(8),
  'a payload longer than the buffer': frame((view) => view.setInt32(Frame.LENGTH, 1, LITTLE_ENDIAN)),
  'a payload of less than nothing': frame((view) => view.setInt32(Frame.LENGTH, -1, LITTLE_ENDIAN)),
  'a payload whose end is beyond every number': frame((view) =>
    view.setInt32(Frame.LENGTH, 2 ** 31 - 1, LITTLE_ENDIAN),
  ),
  'an address of no family': frame((_view, bytes) => bytes.fill(9, Frame.ADDRESS, Frame.ADDRESS + 1)),
  'a name of a family that has none': frame(
    (view) => view.setInt32(Frame.FLAGS, 4 << 8, LITTLE_ENDIAN),
    FRAME_BYTES + 4,
  ),
  'a Unix address without a name': frame((_view, bytes) => bytes.fill(1, Frame.ADDRESS, Frame.ADDRESS + 1)),
  'a name longer than names are': frame((view) => view.setInt32(Frame.FLAGS, 200 << 8, LITTLE_ENDIAN), 1024),
  'a datagram that goes on amid its buffer': frame(
    (view) => view.setInt32(Frame.FLAGS, CONTINUES, LITTLE_ENDIAN),
    1024,
  ),
};

for (const [what, bytes] of Object.entries(corrupt)) {
  test(`a client is detached for ${what}`, async (t) => {
    const data: FrameCorrupterData = { ioThread: ioThread.share(), bytes };
    t.is(await new TestThread<string>('frame-corrupter', data).finish(), 'ERR_SIDEPORT_DETACHED');
  });
}
