// named_pipe.h, and what the port does to pipes without waiting.
#include "windows/windows_named_pipe.h"

#include <winternl.h>

#include <cerrno>

#include "errors.h"
#include "named_pipe.h"
#include "windows/windows_errors.h"
#include "windows/windows_winsock.h"

namespace sideport {
namespace {

// What the system sets aside for either direction; more is taken from the writer's quota.
constexpr DWORD kBufferSize = 65'536;

// For a read that should be done at once and is not.
constexpr DWORD kPatienceMs = 10;

// UTF-16 is what both mean.
const wchar_t* Wide(const char16_t* name) { return reinterpret_cast<const wchar_t*>(name); }

int32_t Opened(HANDLE handle) {
  return handle == INVALID_HANDLE_VALUE ? LastNodeErrno() : FromHandle(handle);
}

bool ReadByMessages(HANDLE handle) {
  DWORD mode = PIPE_READMODE_MESSAGE | PIPE_WAIT;
  return SetNamedPipeHandleState(handle, &mode, nullptr, nullptr) != 0;
}

// A handle opened without FILE_FLAG_OVERLAPPED makes every call on it wait, the port's thread with it.
// No documented call tells, so libuv asks this one, too. What cannot be asked is believed.
bool IsSynchronous(HANDLE handle) {
  using Query = NTSTATUS(NTAPI*)(HANDLE, IO_STATUS_BLOCK*, void*, ULONG, int);
  constexpr int kFileModeInformation = 16;
  constexpr ULONG kSynchronousAlert = 0x10;
  constexpr ULONG kSynchronousNonalert = 0x20;
  // In two steps: GetProcAddress returns a function of a type that GCC does not let be cast.
  void* const address = reinterpret_cast<void*>(
      GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "NtQueryInformationFile"));
  const auto query = reinterpret_cast<Query>(address);
  IO_STATUS_BLOCK status{};
  ULONG mode = 0;
  if (query == nullptr || query(handle, &status, &mode, sizeof(mode), kFileModeInformation) < 0) {
    return false;
  }
  return (mode & (kSynchronousAlert | kSynchronousNonalert)) != 0;
}

}  // namespace

int32_t CreatePipeInstance(const char16_t* name, const PipeFlags& flags, int instances) {
  const DWORD open_mode =
      PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | (flags.first ? FILE_FLAG_FIRST_PIPE_INSTANCE : 0);
  const DWORD pipe_mode = (flags.messages ? PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE
                                          : PIPE_TYPE_BYTE | PIPE_READMODE_BYTE) |
                          PIPE_WAIT |
                          (flags.remote ? PIPE_ACCEPT_REMOTE_CLIENTS : PIPE_REJECT_REMOTE_CLIENTS);
  // Microsoft documents ERROR_ACCESS_DENIED for a `first` that is none; Wine 8 ignores the flag.
  // No security attributes: the handle is not inherited, and the default descriptor lets the creator,
  // administrators and the system in, everybody else read at most.
  return Opened(CreateNamedPipeW(Wide(name), open_mode, pipe_mode, static_cast<DWORD>(instances),
                                 kBufferSize, kBufferSize, 0, nullptr));
}

int32_t OpenPipe(const char16_t* name, bool messages) {
  // The server may ask who we are, and not act as us: any process may be behind a name.
  const HANDLE handle =
      CreateFileW(Wide(name), GENERIC_READ | GENERIC_WRITE, 0, nullptr, OPEN_EXISTING,
                  FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, nullptr);
  if (handle == INVALID_HANDLE_VALUE || !messages || ReadByMessages(handle)) return Opened(handle);
  const int32_t error = LastNodeErrno();
  CloseHandle(handle);
  return error;
}

int32_t AdoptPipe(int fd) {
  const HANDLE handle = ToHandle(fd);
  DWORD flags = 0;
  if (!GetNamedPipeInfo(handle, &flags, nullptr, nullptr, nullptr)) {
    const DWORD code = GetLastError();
    return code == ERROR_INVALID_HANDLE && GetFileType(handle) == FILE_TYPE_UNKNOWN
               ? NodeErrno(EBADF)
               : NodeErrno(EINVAL);
  }
  if (IsSynchronous(handle)) return NodeErrno(EINVAL);
  const bool messages = (flags & PIPE_TYPE_MESSAGE) != 0;
  if (messages && !ReadByMessages(handle)) return LastNodeErrno();
  return ((flags & PIPE_SERVER_END) != 0 ? kServerEnd : 0) | (messages ? kMessages : 0);
}

// Which of both it may no documented call tells.
int32_t ForeignAccess(int fd) {
  StartWinsock();
  const HANDLE handle = ToHandle(fd);
  SetLastError(NO_ERROR);
  const DWORD type = GetFileType(handle);
  if (type == FILE_TYPE_UNKNOWN && GetLastError() != NO_ERROR) return LastNodeErrno();
  // Sockets, too, say that they are pipes; they have sources of their own.
  const bool fits = !IsSynchronous(handle) && KindOf(fd) != HandleKind::kSocket;
  return fits ? kMayRead | kMayWrite : NodeErrno(EINVAL);
}

int32_t AdoptForeign(int) { return 0; }

HandleKind KindOf(int fd) {
  int value = 0;
  socklen_t size = sizeof(value);
  if (getsockopt(ToSocket(fd), SOL_SOCKET, SO_TYPE, reinterpret_cast<char*>(&value), &size) == 0) {
    return HandleKind::kSocket;
  }
  SetLastError(NO_ERROR);
  switch (GetFileType(ToHandle(fd))) {
    case FILE_TYPE_PIPE:
      return HandleKind::kPipe;
    case FILE_TYPE_DISK:
      return HandleKind::kFile;
    case FILE_TYPE_UNKNOWN:
      return GetLastError() == NO_ERROR ? HandleKind::kDevice : HandleKind::kNone;
    default:
      return HandleKind::kDevice;
  }
}

InstantRead::~InstantRead() {
  if (event_ != nullptr) CloseHandle(event_);
}

// The system documents that a set lowest bit of hEvent keeps the operation from posting a packet to the
// handle's port ("GetQueuedCompletionStatus", remarks).
DWORD InstantRead::Read(HANDLE handle, uint8_t* into, DWORD size, DWORD* count) {
  if (event_ == nullptr) event_ = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  if (event_ == nullptr) return GetLastError();
  OVERLAPPED overlapped{};
  overlapped.hEvent = reinterpret_cast<HANDLE>(reinterpret_cast<uintptr_t>(event_) | 1);
  *count = 0;
  DWORD code = ReadFile(handle, into, size, nullptr, &overlapped) ? NO_ERROR : GetLastError();
  if (code == ERROR_IO_PENDING) {
    // A filter driver (a virus scanner's, say) hands it on in its own time; or somebody else, who has this
    // pipe as well, has read what was there. Not longer than this call may the kernel have the buffer.
    if (WaitForSingleObject(event_, kPatienceMs) != WAIT_OBJECT_0) CancelIoEx(handle, &overlapped);
    WaitForSingleObject(event_, INFINITE);
    const auto status = static_cast<long>(overlapped.Internal);
    if (NodeErrnoOfStatus(status) != 0) return ERROR_OPERATION_ABORTED;
    code = IsMoreData(status) ? ERROR_MORE_DATA : NO_ERROR;
  }
  *count = static_cast<DWORD>(overlapped.InternalHigh);
  return code;
}

}  // namespace sideport
