// IocpPort's ends: of an operation by cancelling its requests, of an endpoint, and of the port.

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "errors.h"
#include "socket.h"
#include "windows/windows_iocp.h"

namespace sideport {

// A request in the kernel is asked to end; its packet is the release, and may say that it succeeded. A
// cancellation that finds nothing (ERROR_NOT_FOUND) has come too late: the packet is in the queue.
void IocpPort::Cancel(Endpoint* base, Opcode opcode) {
  auto* const endpoint = static_cast<IocpEndpoint*>(base);
  endpoint->unwanted |= Endpoint::Bit(opcode);
  if (!endpoint->IsInKernel(opcode)) {
    Release(endpoint, opcode, NodeErrno(ECANCELED));
    if (opcode == Opcode::kConnect && !endpoint->Has(Opcode::kClose)) ArmHeld(endpoint);
    return;
  }
  const HANDLE handle = ToHandle(endpoint->fd);
  switch (opcode) {
    case Opcode::kAccept:
      for (const auto& request : endpoint->accepts) {
        if (request->in_kernel) CancelIoEx(handle, request.get());
      }
      return;
    case Opcode::kConnect:
      CancelIoEx(handle, endpoint->connect_request.get());
      return;
    case Opcode::kSend:
      CancelIoEx(handle, &endpoint->send_request);
      return;
    case Opcode::kSendTo:
      CancelIoEx(handle, endpoint->send_to_request.get());
      return;
    default:
      CancelIoEx(handle, endpoint->ReceiveRequest());
  }
}

void IocpPort::BeginClose(IocpEndpoint* endpoint) {
  for (Opcode opcode : {Opcode::kAccept, Opcode::kReceive, Opcode::kSend, Opcode::kConnect,
                        Opcode::kReceiveFrom, Opcode::kSendTo}) {
    if (endpoint->Has(opcode)) Cancel(endpoint, opcode);
  }
  // What the other end has not read is dropped, as a reset does; a client's end refuses, and needs not.
  if (endpoint->kind == HandleKind::kPipe && endpoint->close_mode == CloseMode::kReset) {
    DisconnectNamedPipe(ToHandle(endpoint->fd));
  }
  // The handle's value may be another's from here on: nothing names it any more, and the requests'
  // packets do not.
  if (endpoint->fd >= 0 && endpoint->datagrams) {
    // Neither an end to announce nor a reset to avoid.
    CloseDescriptor(endpoint->fd);
  } else if (endpoint->fd >= 0) {
    CloseSocket(endpoint->fd, endpoint->close_mode);
  }
  endpoint->fd = -1;
  FinishCloseIfIdle(endpoint);
}

void IocpPort::FinishCloseIfIdle(IocpEndpoint* endpoint) {
  if (endpoint->in_flight != Endpoint::Bit(Opcode::kClose) || endpoint->requests > 0) return;
  if (endpoint->surplus) {
    // As the kernel does with those in a closed listener's backlog.
    for (const Connection& one : *endpoint->surplus) CloseSocket(one.fd, CloseMode::kReset);
    endpoint->surplus.reset();
  }
  // The number's next tenant begins anew. Ten thousand that once were listeners keep no requests.
  endpoint->accepts.clear();
  endpoint->foreign.reset();
  endpoint->kind = HandleKind::kSocket;
  endpoint->ready = kWritable;
  endpoint->read_shut = false;
  endpoint->receive_error = 0;
  endpoint->accept_error = 0;
  endpoint->refusals = 0;
  endpoint->skips = false;
  endpoint->datagrams = false;
  FinishClose(endpoint);
}

// Cancels, closes, then takes packets until none is out. Every socket's operations end with its handle,
// says the I/O manager's contract, so that the time-out is for drivers that break it. What the kernel may
// write to belongs to this port: the requests and the addresses behind them, never a segment.
bool IocpPort::Shutdown(int32_t timeout_ms) {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + std::chrono::milliseconds(timeout_ms);
  for (const auto& base : endpoints_) {
    auto* const endpoint = static_cast<IocpEndpoint*>(base.get());
    if (endpoint == nullptr || !endpoint->adopted) continue;
    if (StartCloseAtShutdown(endpoint)) BeginClose(endpoint);
  }
  while (requests_ > 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0) return false;
    Dequeue(static_cast<DWORD>(left.count()));
  }
  run_ = RunQueue();
  had_turn_.clear();
  ForgetEverything();
  return started_ == released_;
}

}  // namespace sideport
