/**
 * Attaches this thread to an I/O thread, synchronously (protocol/control.ts): posts the request, wakes the I/O thread, sleeps until
 * it has answered.
 */
import { BroadcastChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { awaitChange } from '../../atomics/flag.js';
import { fail } from '../../errors.js';
import type { Addon } from '../../native.js';
import {
  Answer,
  type AttachAnswer,
  type AttachRequest,
  announcementChannel,
  clientChannel,
  portChannel,
} from '../../protocol/control.js';
import { WakeReason } from '../../protocol/port-records.js';
import { Client } from '../link/client.js';
import { connectService, type RemoteService } from './service.js';

/** One look at whether the I/O thread still lives. */
const SLICE_MS = 100;
const TIMEOUT_MS = 10_000;

/** A thread's tie to an I/O thread, and the promises' path to it. */
export interface Attachment {
  readonly client: Client;
  readonly service: RemoteService;
  readonly backend: string;
}

/** A thread is one client of an I/O thread, however many handles and Polls it has. */
const attachments = new Map<number, Attachment>();

/** This thread's tie to the I/O thread, made if need be. @throws ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_TIMEOUT, ERR_SIDEPORT_LIMIT */
export function attachmentTo(addon: Addon, portId: number): Attachment {
  const existing = attachments.get(portId);
  if (existing) return existing;
  const made = attach(addon, portId);
  attachments.set(portId, made);
  return made;
}

function attach(addon: Addon, portId: number): Attachment {
  let client: Client | undefined;
  const link = addon.link(portId, () => client?.waits.rung());
  if (!link) throw fail('ERR_SIDEPORT_IO_THREAD_GONE');
  const channel = new BroadcastChannel(clientChannel(link.clientId));
  channel.unref();
  // Open before the first announcement can come; only ever looked into, so its messages wait in it.
  const announcements = new BroadcastChannel(announcementChannel(link.clientId));
  announcements.unref();
  try {
    const answer = new SharedArrayBuffer(4);
    request(portId, { kind: 'attach', clientId: link.clientId, answer });
    link.wake(WakeReason.CONTROL);
    awaitAnswer(new Int32Array(answer), () => link.isAlive());
    // Node's types do not know that a BroadcastChannel is taken too; its documentation does.
    const received = receiveMessageOnPort(channel as unknown as MessagePort)?.message as AttachAnswer | undefined;
    if (received?.kind === 'gone') throw fail('ERR_SIDEPORT_IO_THREAD_GONE');
    if (received?.kind !== 'attached') throw fail('ERR_SIDEPORT_LIMIT', received?.message);
    client = new Client(addon, link, portId, received, announcements, () => {
      channel.close();
      announcements.close();
      attachments.delete(portId);
    });
    return { client, service: connectService(channel, client), backend: received.backend };
  } catch (error) {
    channel.close();
    announcements.close();
    link.detach();
    throw error;
  }
}

function request(portId: number, message: AttachRequest): void {
  const channel = new BroadcastChannel(portChannel(portId));
  channel.postMessage(message);
  channel.close();
}

function awaitAnswer(answer: Int32Array, isAlive: () => boolean): void {
  const untilMs = performance.now() + TIMEOUT_MS;
  while (awaitChange(answer, 0, Answer.PENDING, SLICE_MS) === Answer.PENDING) {
    if (!isAlive()) throw fail('ERR_SIDEPORT_IO_THREAD_GONE');
    if (performance.now() > untilMs) throw fail('ERR_SIDEPORT_TIMEOUT');
  }
}
