// One socket inside an IocpPort, and its requests.
//
// An *operation* is what the selector started; a *request* is one overlapped call inside the kernel for
// it. They differ: a receive waits by a probe, an accept has several requests out, what is started on
// a connecting socket has none yet.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "port/endpoint.h"
#include "windows/windows_named_pipe.h"
#include "windows/windows_winsock.h"

namespace sideport {

struct IocpEndpoint;

// The kernel writes to it from the call until its packet has been dequeued, whatever happens to the
// handle in between; so it is part of an endpoint, which stays in place, and the endpoint is not free
// before the packet is here. A packet is told by its request's address and never by a handle: a handle
// value that the system uses again cannot receive an old one.
//
//          call: pending, or success that posts a packet
//   idle ─────────────────────────────────────────────────► in the kernel
//    ▲ ▲                                                        │
//    │ └── call: failed, or instant success ("skips") ──        │
//    └───────────────── packet dequeued ────────────────────────┘
struct Request : OVERLAPPED {
  IocpEndpoint* endpoint = nullptr;
  Opcode opcode = Opcode::kReceive;
  bool in_kernel = false;
  // Of a receive. Part of the request, because Wine writes them when it completes; Windows writes them
  // during the call.
  DWORD flags = 0;
};

// A connection to come: its socket is made beforehand, and the addresses of both ends are written behind
// the request, each with the 16 bytes to spare that AcceptEx asks for.
struct AcceptRequest final : Request {
  static constexpr DWORD kAddressSize = sizeof(sockaddr_storage) + 16;
  int fd = -1;
  std::array<uint8_t, 2 * kAddressSize> addresses;
};

// Of a handle that is neither a socket nor a pipe: nothing tells when it has something to read, so a read
// waits with a buffer. That is the endpoint's own and no segment's: should a driver keep the request at the
// port's end, it is leaked with the port, and the segments are free to go.
struct ForeignRead final : Request {
  std::array<uint8_t, 16'384> bytes;
  size_t from = 0;  // what was read and not received yet
  size_t to = 0;
  // Where in a file the next read and the next write begin; other handles have no position.
  uint64_t read_at = 0;
  uint64_t write_at = 0;

  // Its packet has come, without an error.
  void Filled() {
    to = static_cast<size_t>(InternalHigh);
    read_at += to;
  }
};

// Accepted when nobody asked any more; the next accept begins with them.
struct Connection {
  int fd;
  WireAddress peer;
};

struct IocpEndpoint final : Endpoint {
  Request probe;  // a receive of no bytes: it completes when there is something to receive
  Request send_request;
  std::unique_ptr<Request> connect_request;
  std::unique_ptr<Request> send_to_request;
  std::vector<std::unique_ptr<AcceptRequest>> accepts;
  std::unique_ptr<ForeignRead> foreign;  // of files and devices
  int requests = 0;                      // in the kernel

  HandleKind kind = HandleKind::kSocket;
  int family = 0;  // AF_INET, AF_INET6
  bool datagrams = false;
  bool skips = false;    // an instant success posts no packet
  uint8_t unwanted = 0;  // one bit per opcode: the operation is to end, by a cancel or a close

  bool read_shut = false;     // by kShutdown
  int32_t receive_error = 0;  // told by a probe; what was received before it is told first
  uint32_t last_turn = 0;     // in which a receive of it was completed

  int accepts_out = 0;
  int refusals = 0;  // since the last connection accepted
  int32_t accept_error = 0;
  std::unique_ptr<std::deque<Connection>> surplus;

  bool IsInKernel(Opcode opcode) const {
    switch (opcode) {
      case Opcode::kAccept:
        return accepts_out > 0;
      case Opcode::kConnect:
        return connect_request && connect_request->in_kernel;
      case Opcode::kSend:
        return send_request.in_kernel;
      case Opcode::kSendTo:
        return send_to_request && send_to_request->in_kernel;
      default:
        return foreign ? foreign->in_kernel : probe.in_kernel;
    }
  }
  Request* ReceiveRequest() { return foreign ? foreign.get() : &probe; }
  bool IsUnwanted(Opcode opcode) const { return (unwanted & Bit(opcode)) != 0; }
  bool IsReadable() const { return read_shut || (ready & kReadable) != 0; }
};

}  // namespace sideport
