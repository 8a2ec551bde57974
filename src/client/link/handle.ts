/**
 * Public source objects are thin handles over internal sources. The internal source is held by its client's slot
 * table; the handle is held by the user alone, so a handle that is collected is a source that was forgotten.
 */
import { fail, SideportError } from '../../errors.js';
import type { Registrable } from '../sources/registrable.js';

/** The internal source of a public object. */
export const kSource = Symbol('sideport.source');

/** A source as users hold it: what `registry.register` takes. */
export interface SourceHandle {
  readonly [kSource]: Registrable;
}

const forgotten = new FinalizationRegistry<Registrable>((source) => {
  if (source.closed) return;
  process.emitWarning(`${source.kind} was collected without having been closed`, 'SideportWarning');
  try {
    source.close();
  } catch (error) {
    // Its I/O thread went at the same moment and took the connection with it.
    if (!(error instanceof SideportError)) throw error;
  }
});

/** Closes `source`, with a warning, should `handle` be collected before it is closed. */
export function reclaim(handle: SourceHandle, source: Registrable): void {
  forgotten.register(handle, source);
}

/** @throws ERR_SIDEPORT_INVALID_ARG */
export function sourceOf(handle: SourceHandle): Registrable {
  const source = (handle as Partial<SourceHandle> | null | undefined)?.[kSource];
  if (source === undefined)
    throw fail('ERR_SIDEPORT_INVALID_ARG', 'Not a source: expected a TcpStream, a UdpSocket, a Timer or the like');
  return source;
}
