// IocpPort's requests on named pipes, and on handles that other makers opened for overlapped operations.
//
// They differ from those on sockets in what Microsoft documents of ReadFile, WriteFile and PeekNamedPipe:
//
// * Instant completions are not skipped here (FILE_SKIP_COMPLETION_PORT_ON_SUCCESS): a read of a message that is
//   longer than its buffer returns an error, ERROR_MORE_DATA, which is none: its NTSTATUS is a warning,
//   and warnings post packets as successes do. Whether they do so where successes are skipped is not
//   documented. Without skipping the rule is one: all post a packet, but for errors told at the call.
// * A pipe has no call that receives what is there and never waits. It can be asked how much is there
//   (PeekNamedPipe); a read of no more than that completes at the call.
// * A pipe takes one buffer per call. In a pipe of messages each call writes one.
//
// One session of a server's end:
//
//            kConnect                    a client came
//   idle ──────────────► waiting (no buffer, one request) ──► connected ──kShutdown 3──► idle
#include <algorithm>
#include <cerrno>

#include "errors.h"
#include "windows/windows_errors.h"
#include "windows/windows_iocp.h"

namespace sideport {
namespace {

constexpr ULONG_PTR kHandleKey = 0;

// The other end is closed: a read's end, and a write's EPIPE.
bool IsEnd(int32_t error) { return error == NodeErrnoOfCode(ERROR_BROKEN_PIPE); }

void SetPosition(Request* request, uint64_t at) {
  request->Offset = static_cast<DWORD>(at);
  request->OffsetHigh = static_cast<DWORD>(at >> 32);
}

}  // namespace

int32_t IocpPort::WatchHandle(IocpEndpoint* endpoint) {
  endpoint->kind = KindOf(endpoint->fd);
  if (endpoint->kind == HandleKind::kNone) return NodeErrno(EBADF);
  if (CreateIoCompletionPort(ToHandle(endpoint->fd), port_, kHandleKey, 0) == nullptr) {
    return LastNodeErrno();
  }
  if (endpoint->kind != HandleKind::kPipe) endpoint->foreign = std::make_unique<ForeignRead>();
  return 0;
}

void IocpPort::ArmHandle(IocpEndpoint* endpoint, Opcode opcode) {
  switch (opcode) {
    case Opcode::kConnect:
      return ConnectPipe(endpoint);
    case Opcode::kSend:
      return SendToHandle(endpoint);
    case Opcode::kReceive:
      if (endpoint->IsReadable()) return run_.Push(endpoint);
      return ProbeHandle(endpoint);
    default:
      return Release(endpoint, opcode, NodeErrno(ENOTSUP));
  }
}

// -- sessions of a server's end -------------------------------------------------------------------

// Nothing of the session before is left: its requests are reaped, and what was known of its readiness is
// forgotten here. A client may have come already (ERROR_PIPE_CONNECTED), and even have gone again
// (ERROR_NO_DATA): what it wrote is there to be read. In neither case a packet comes.
void IocpPort::ConnectPipe(IocpEndpoint* endpoint) {
  if (endpoint->kind != HandleKind::kPipe) return OnConnect(endpoint, NodeErrno(ENOTSUP));
  if (endpoint->requests > 0) return OnConnect(endpoint, NodeErrno(EALREADY));
  endpoint->ready = kWritable;
  endpoint->read_shut = false;
  endpoint->receive_error = 0;
  if (!endpoint->connect_request) endpoint->connect_request = std::make_unique<Request>();
  Request* const request = endpoint->connect_request.get();
  Prepare(endpoint, request, Opcode::kConnect);
  const bool succeeded = ConnectNamedPipe(ToHandle(endpoint->fd), request) != 0;
  const DWORD code = succeeded ? NO_ERROR : GetLastError();
  const bool is_there = code == ERROR_PIPE_CONNECTED || code == ERROR_NO_DATA;
  if (!is_there && Classify(request, succeeded, code) == Begun::kPending) return;
  OnConnect(endpoint, is_there ? 0 : NodeErrnoOfCode(code));
}

// -- sending --------------------------------------------------------------------------------------

void IocpPort::SendToHandle(IocpEndpoint* endpoint) {
  SendOperation& send = *endpoint->send;
  if (send.IsComplete()) return Release(endpoint, Opcode::kSend, send.total);
  Request* const request = &endpoint->send_request;
  Prepare(endpoint, request, Opcode::kSend);
  if (endpoint->kind == HandleKind::kFile) {
    SetPosition(request, endpoint->foreign->write_at);
  }
  const SendPiece& piece = send.pieces[static_cast<size_t>(send.first)];
  const bool succeeded =
      WriteFile(ToHandle(endpoint->fd), piece.buf, piece.len, nullptr, request) != 0;
  const DWORD code = succeeded ? NO_ERROR : GetLastError();
  if (Classify(request, succeeded, code) == Begun::kPending) return;
  OnSend(endpoint, NodeErrnoOfCode(code), 0);
}

// -- receiving ------------------------------------------------------------------------------------

void IocpPort::ProbeHandle(IocpEndpoint* endpoint) {
  Request* const request = endpoint->ReceiveRequest();
  Prepare(endpoint, request, Opcode::kReceive);
  static uint8_t nothing;  // of which no byte is written
  void* into = &nothing;
  DWORD size = 0;
  if (ForeignRead* const foreign = endpoint->foreign.get()) {
    foreign->from = foreign->to = 0;
    into = foreign->bytes.data();
    size = static_cast<DWORD>(foreign->bytes.size());
    if (endpoint->kind == HandleKind::kFile) SetPosition(request, foreign->read_at);
  }
  const bool succeeded = ReadFile(ToHandle(endpoint->fd), into, size, nullptr, request) != 0;
  const DWORD code = succeeded ? NO_ERROR : GetLastError();
  const bool posts = succeeded || code == ERROR_MORE_DATA;
  if (Classify(request, posts, code) == Begun::kPending) return;
  OnProbe(endpoint, NodeErrnoOfCode(code));
}

void IocpPort::ReceiveFromPipe(IocpEndpoint* endpoint) {
  const HANDLE handle = ToHandle(endpoint->fd);
  DWORD available = 0;
  if (!PeekNamedPipe(handle, nullptr, 0, nullptr, &available, nullptr)) {
    const int32_t error = LastNodeErrno();
    return Release(endpoint, Opcode::kReceive, IsEnd(error) ? 0 : error);
  }
  if (available == 0) {
    // The probe was met by an empty message, of which nothing is told, or by an end.
    if (endpoint->receive_error != 0) {
      const int32_t error = endpoint->receive_error;
      return Release(endpoint, Opcode::kReceive, IsEnd(error) ? 0 : error);
    }
    endpoint->ready &= static_cast<uint8_t>(~kReadable);
    return ProbeHandle(endpoint);
  }
  const Buffer buffer = buffers_.Take(endpoint->receive_group);
  // There still is something to receive: the next receive finds it.
  if (buffer.memory == nullptr) return Release(endpoint, Opcode::kReceive, NodeErrno(ENOBUFS));
  const DWORD size = available < buffer.size ? available : static_cast<DWORD>(buffer.size);
  DWORD count = 0;
  const DWORD code = instant_read_.Read(handle, buffer.memory, size, &count);
  if ((code != NO_ERROR && code != ERROR_MORE_DATA) || count == 0) {
    buffers_.GiveBack(endpoint->receive_group, buffer);
    // Whatever it is, the next look finds it: the end, an error, or nothing more.
    if (code == NO_ERROR || code == ERROR_OPERATION_ABORTED) return run_.Push(endpoint);
    const int32_t error = NodeErrnoOfCode(code);
    return Release(endpoint, Opcode::kReceive, IsEnd(error) ? 0 : error);
  }
  // Not so once an end was told: no probe would tell it again.
  const bool drained = count >= available && (endpoint->ready & kExhaustive) == 0;
  if (drained) endpoint->ready &= static_cast<uint8_t>(~kReadable);
  CompletePiece(endpoint, buffer, count, code == ERROR_MORE_DATA);
}

void IocpPort::ReceiveFromForeign(IocpEndpoint* endpoint) {
  ForeignRead* const foreign = endpoint->foreign.get();
  if (foreign->from == foreign->to) {
    // The read was released, and with nothing: a file's or a device's end.
    const int32_t error = endpoint->receive_error;
    return Release(endpoint, Opcode::kReceive, IsEnd(error) ? 0 : error);
  }
  const Buffer buffer = buffers_.Take(endpoint->receive_group);
  if (buffer.memory == nullptr) return Release(endpoint, Opcode::kReceive, NodeErrno(ENOBUFS));
  const size_t left = foreign->to - foreign->from;
  const size_t count = left < buffer.size ? left : buffer.size;
  const uint8_t* const bytes = foreign->bytes.data() + foreign->from;
  std::copy(bytes, bytes + count, buffer.memory);
  foreign->from += count;
  const bool drained = foreign->from == foreign->to && (endpoint->ready & kExhaustive) == 0;
  if (drained) endpoint->ready &= static_cast<uint8_t>(~kReadable);
  CompletePiece(endpoint, buffer, static_cast<DWORD>(count), false);
}

void IocpPort::CompletePiece(IocpEndpoint* endpoint, const Buffer& buffer, DWORD bytes,
                             bool goes_on) {
  endpoint->last_turn = turn_;
  CompletionRecord record{};
  record.result = static_cast<int32_t>(bytes);
  record.flags = (--endpoint->receive_left > 0 ? kMore : 0) | (goes_on ? kGoesOn : 0);
  record.segment = buffer.segment;
  record.index = buffer.index;
  Complete(endpoint, Opcode::kReceive, record);
  if (endpoint->Has(Opcode::kReceive)) Arm(endpoint, Opcode::kReceive);
}

}  // namespace sideport
