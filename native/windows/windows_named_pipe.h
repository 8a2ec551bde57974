// What a handle is, and reads that do not wait.
#pragma once

#include <cstdint>

#include "windows/windows_winsock.h"

namespace sideport {

// Devices: serial lines and whatever else is opened by CreateFile; they have no position, as files have.
enum class HandleKind : uint8_t { kNone, kSocket, kPipe, kFile, kDevice };

HandleKind KindOf(int fd);

// STATUS_BUFFER_OVERFLOW: a message was longer than the buffer; the rest comes next.
inline bool IsMoreData(long status) { return static_cast<unsigned long>(status) == 0x80000005; }

// Reads what a pipe is known to hold, and waits for nothing: the buffer is the kernel's during the call
// alone. Such a read posts no packet.
class InstantRead {
 public:
  InstantRead() = default;
  InstantRead(const InstantRead&) = delete;
  InstantRead& operator=(const InstantRead&) = delete;
  ~InstantRead();

  // A Win32 code: NO_ERROR and ERROR_MORE_DATA with `*count` bytes.
  DWORD Read(HANDLE handle, uint8_t* into, DWORD size, DWORD* count);

 private:
  HANDLE event_ = nullptr;
};

}  // namespace sideport
