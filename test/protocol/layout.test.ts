import { readFileSync } from 'node:fs';
import test from 'ava';
import { loadAddon } from '../../src/native.js';
import {
  bufferName,
  indexOf,
  MAX_BUFFERS_PER_SEGMENT,
  MAX_SEGMENTS,
  segmentOf,
} from '../../src/protocol/buffer-name.js';
import {
  clientMemoryBytes,
  EVENTS_PER_SLOT,
  eventRingBase,
  geometryFor,
  Header,
  sendWordsBase,
  slotBase,
  submissionRingBase,
} from '../../src/protocol/client-memory.js';
import * as datagram from '../../src/protocol/datagram.js';
import { EVENT_WORDS, EventKind, eventKind, eventSlot, MAX_SLOTS, packEvent } from '../../src/protocol/events.js';
import * as records from '../../src/protocol/port-records.js';
import { SocketOption } from '../../src/protocol/socket-options.js';
import { SUBMISSION_WORDS } from '../../src/protocol/submissions.js';

test('no two header words share a cache line', (t) => {
  const { WORDS, ...words } = Header;
  const lines = Object.values(words).map((word) => word >> 4);
  t.is(new Set(lines).size, lines.length);
  t.true(Object.values(words).every((word) => word < WORDS));
});

test('the parts of a client memory follow one another without overlap', (t) => {
  for (const [maxSources, receiveBuffers, sendBuffers] of [
    [1, 1, 1],
    [5, 7, 10],
    [16_384, 256, 64],
  ] as const) {
    const geometry = geometryFor(maxSources, receiveBuffers, sendBuffers);
    t.true(geometry.slotCount >= maxSources);
    t.true(geometry.eventCapacity >= geometry.slotCount * EVENTS_PER_SLOT + receiveBuffers + sendBuffers);
    const { slotCount, submissionCapacity, eventCapacity } = geometry;
    for (const size of [slotCount, submissionCapacity, eventCapacity]) t.is(size & (size - 1), 0, 'a power of two');
    t.is(slotBase(0), Header.WORDS);
    t.is(submissionRingBase(geometry), slotBase(geometry.slotCount));
    t.is(eventRingBase(geometry), submissionRingBase(geometry) + geometry.submissionCapacity * SUBMISSION_WORDS);
    t.is(sendWordsBase(geometry), eventRingBase(geometry) + geometry.eventCapacity * EVENT_WORDS);
    t.is(clientMemoryBytes(geometry), 4 * (sendWordsBase(geometry) + sendBuffers));
  }
});

test('a buffer name gives segment and index back, up to its limits', (t) => {
  for (const segment of [0, 1, MAX_SEGMENTS - 1]) {
    for (const index of [0, 1, MAX_BUFFERS_PER_SEGMENT - 1]) {
      const name = bufferName(segment, index);
      t.true(name >= 0, 'an int32 word keeps it');
      t.is(name | 0, name);
      t.deepEqual([segmentOf(name), indexOf(name)], [segment, index]);
    }
  }
});

test('an event word gives kind and slot back, up to their limits', (t) => {
  for (const kind of Object.values(EventKind)) {
    for (const slot of [0, 1, MAX_SLOTS - 1]) {
      const word = packEvent(kind, slot);
      t.deepEqual([eventKind(word), eventSlot(word)], [kind, slot]);
    }
  }
});

const header = readFileSync(new URL('../../../native/completion_port.h', import.meta.url), 'utf8');

/** `kAdopt = 1` -> 1. */
function native(name: string): number | undefined {
  const value = new RegExp(`\\bk${name} = (\\d+)`).exec(header)?.[1];
  return value === undefined ? undefined : Number(value);
}

const options = readFileSync(new URL('../../../native/socket_options.h', import.meta.url), 'utf8');

const camel = (name: string) =>
  name.toLowerCase().replace(/(^|_)(\w)/g, (_, _u, letter: string) => letter.toUpperCase());

test('both sides of the boundary count alike', (t) => {
  t.is(loadAddon().protocolVersion, records.PROTOCOL_VERSION);
  for (const [name, value] of Object.entries(records.PortOpcode)) t.is(native(camel(name)), value, name);
  for (const [name, value] of Object.entries(records.CloseMode)) t.is(native(camel(name)), value, name);
  for (const [name, value] of Object.entries(records.CompletionFlag)) t.is(native(camel(name)), value, name);
  for (const [name, value] of Object.entries(records.WakeReason)) t.is(native(`Wake${camel(name)}`), value, name);
  t.is(native('MorePieces'), records.SEND_MORE_PIECES);
  t.is(native('PiecesPerSend'), records.PIECES_PER_SEND);
  t.is(native('SameDatagram'), records.SEND_SAME_DATAGRAM);
  t.is(native('PiecesPerSendTo'), records.PIECES_PER_SEND_TO);
  t.is(native('UnixFamily'), datagram.UNIX_FAMILY);
  t.is(native('UnixNameLimit'), datagram.UNIX_NAME_BYTES);
  t.is(native('Truncated'), datagram.TRUNCATED);
  t.regex(header, new RegExp(`sizeof\\(DatagramHeader\\) == ${datagram.HEADER_BYTES}\\b`));
  t.regex(header, new RegExp(`sizeof\\(SubmissionRecord\\) == ${4 * records.RECORD_WORDS}\\b`));
  t.regex(header, new RegExp(`sizeof\\(CompletionRecord\\) == ${4 * records.RECORD_WORDS}\\b`));
});

test('socket options have one number on both sides', (t) => {
  const numbers = Object.fromEntries(
    [...options.matchAll(/\bk(\w+) = (\d+)/g)].map(([, name, value]) => [name, Number(value)]),
  );
  const expected = Object.fromEntries(Object.entries(SocketOption).map(([name, value]) => [camel(name), value]));
  t.deepEqual(numbers, expected);
});

const pipes = readFileSync(new URL('../../../native/named_pipe.h', import.meta.url), 'utf8');

test('what is told of pipes and of others’ descriptors has one number on both sides', (t) => {
  for (const [name, value] of Object.entries(records.PipeTrait))
    t.regex(pipes, new RegExp(`k${camel(name)} = ${value}\\b`));
  for (const [name, value] of Object.entries(records.Access))
    t.regex(pipes, new RegExp(`kMay${camel(name)} = ${value}\\b`));
});
