// Named pipes of Windows, and handles and descriptors of other makers. Results are Node's negative errno, or 0 or what
// the call returns. A system without named pipes says -ENOTSUP.
//
// A handle is an int, as a socket is (socket.h).
#pragma once

#include <cstddef>
#include <cstdint>

namespace sideport {

struct PipeFlags {
  // Messages, read and written whole, instead of bytes.
  bool messages;
  // Fails (-EPERM) if the name has an instance already, perhaps somebody else's.
  bool first;
  // Clients on other machines may connect.
  bool remote;
};

// An instance of the server's end: each serves one client at a time. `name` is UTF-16 and ends with a
// zero. `instances`: how many the name may have, 255 for any number; the first one's counts.
int32_t CreatePipeInstance(const char16_t* name, const PipeFlags& flags, int instances);
// The client's end, at once: -ENOENT when there is no such pipe, -EBUSY when no instance waits.
int32_t OpenPipe(const char16_t* name, bool messages);

enum PipeTraits : int32_t { kServerEnd = 1, kMessages = 2 };
// Bits of PipeTraits; -EINVAL when it is no named pipe. One that has messages is read by messages from here on.
int32_t AdoptPipe(int fd);

// What was opened elsewhere and is no socket: a descriptor that can be polled, a handle that was opened for overlapped
// operations. Bits of Access; -EINVAL when it is none, -EBADF.
enum Access : int32_t { kMayRead = 1, kMayWrite = 2 };
int32_t ForeignAccess(int fd);
// Makes it fit to be read and written by a port.
int32_t AdoptForeign(int fd);

}  // namespace sideport
