/**
 * Errors of the comlink service keep `code`, `errno`, `syscall` and whatever else they carry. comlink's own handler sends message, name and
 * stack only; its receiving half assigns every field that it is sent, so replacing the sending half, on
 * the I/O thread, suffices. A client's comlink, which may be the program's own, is left as it is.
 */
import { transferHandlers } from 'comlink';

interface Thrown {
  readonly value: unknown;
}

type Serialized =
  | { readonly isError: true; readonly value: object }
  | { readonly isError: false; readonly value: unknown };

/** Called once, on the I/O thread, before anything is exposed. */
export function keepErrorFields(): void {
  const handler = transferHandlers.get('throw');
  if (!handler) throw new Error('comlink has no handler for what is thrown');
  transferHandlers.set('throw', {
    ...handler,
    serialize: (thrown: unknown): [Serialized, never[]] => [serialize((thrown as Thrown).value), []],
  });
}

function serialize(value: unknown): Serialized {
  if (!(value instanceof Error)) return { isError: false, value };
  const { message, name, stack } = value;
  return { isError: true, value: { ...value, message, name, stack } };
}
