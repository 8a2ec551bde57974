// IocpPort's accepts: several requests out at a time, each with the socket of the connection to come.

#include <algorithm>
#include <cerrno>
#include <utility>

#include "errors.h"
#include "socket.h"
#include "windows/windows_errors.h"
#include "windows/windows_iocp.h"

namespace sideport {
namespace {

// Requests out per listener. While none is, connections wait in the backlog and lose nothing.
constexpr int kAcceptsOut = 16;

// How often in a row a listener may fail over one connection: an error that stays would be met for ever.
constexpr int kRefusals = 64;

WireAddress PeerOf(AcceptRequest* request) {
  sockaddr* local = nullptr;
  sockaddr* remote = nullptr;
  int local_length = 0;
  int remote_length = 0;
  WinsockExtensions::Get().get_accept_ex_sockaddrs(
      request->addresses.data(), 0, AcceptRequest::kAddressSize, AcceptRequest::kAddressSize,
      &local, &local_length, &remote, &remote_length);
  KernelAddress address{};
  address.length = remote_length;
  if (remote != nullptr) {
    const auto* const bytes = reinterpret_cast<const uint8_t*>(remote);
    std::copy(bytes, bytes + remote_length, reinterpret_cast<uint8_t*>(&address.storage));
  }
  return ToWire(address);
}

}  // namespace

// Puts out as many requests as connections are wanted, and releases the operation once it is to end and
// none is out any more.
void IocpPort::Accept(IocpEndpoint* endpoint) {
  TakeSurplus(endpoint);
  const auto is_open = [&] {
    return endpoint->Has(Opcode::kAccept) && endpoint->accept_error == 0 &&
           !endpoint->IsUnwanted(Opcode::kAccept);
  };
  while (is_open() && endpoint->accepts_out < std::min(endpoint->accept_left, kAcceptsOut)) {
    if (!AcceptOne(endpoint, FreeAccept(endpoint))) break;
  }
  if (!endpoint->Has(Opcode::kAccept) || is_open() || endpoint->accepts_out > 0) return;
  const bool unwanted = endpoint->IsUnwanted(Opcode::kAccept);
  const int32_t error = unwanted ? NodeErrno(ECANCELED) : endpoint->accept_error;
  endpoint->accept_error = 0;
  endpoint->refusals = 0;
  Release(endpoint, Opcode::kAccept, error);
}

AcceptRequest* IocpPort::FreeAccept(IocpEndpoint* endpoint) {
  for (const auto& request : endpoint->accepts) {
    if (!request->in_kernel) return request.get();
  }
  endpoint->accepts.push_back(std::make_unique<AcceptRequest>());
  return endpoint->accepts.back().get();
}

// False when there is no socket to be had; those that are out have theirs, and go on.
bool IocpPort::AcceptOne(IocpEndpoint* endpoint, AcceptRequest* request) {
  request->fd = OpenStreamSocket(endpoint->family == AF_INET6 ? 6 : 4);
  if (request->fd < 0) {
    if (endpoint->accepts_out == 0) endpoint->accept_error = request->fd;
    return false;
  }
  Prepare(endpoint, request, Opcode::kAccept);
  DWORD size = 0;
  const bool succeeded =
      WinsockExtensions::Get().accept_ex(ToSocket(endpoint->fd), ToSocket(request->fd),
                                         request->addresses.data(), 0, AcceptRequest::kAddressSize,
                                         AcceptRequest::kAddressSize, &size, request) != 0;
  const auto code = static_cast<DWORD>(succeeded ? 0 : WSAGetLastError());
  endpoint->accepts_out++;
  if (Classify(request, succeeded, code) != Begun::kPending) {
    TakeAccepted(endpoint, request, NodeErrnoOfCode(code));
  }
  return true;
}

void IocpPort::TakeAccepted(IocpEndpoint* endpoint, AcceptRequest* request, int32_t error) {
  endpoint->accepts_out--;
  const int fd = std::exchange(request->fd, -1);
  if (error == 0 && endpoint->fd >= 0) {
    endpoint->refusals = 0;
    // Without it shutdown and getpeername fail with WSAENOTCONN on Windows; Wine does not mind.
    const SOCKET listener = ToSocket(endpoint->fd);
    setsockopt(ToSocket(fd), SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT,
               reinterpret_cast<const char*>(&listener), sizeof(listener));
    const WireAddress peer = PeerOf(request);
    if (endpoint->Has(Opcode::kAccept)) return CompleteAccept(endpoint, fd, peer);
    if (!endpoint->surplus) endpoint->surplus = std::make_unique<std::deque<Connection>>();
    return endpoint->surplus->push_back({fd, peer});
  }
  // Of a listener that is closed: as with those in its backlog.
  CloseSocket(fd, CloseMode::kReset);
  if (error == 0 || error == NodeErrno(ECANCELED)) return;
  if (!ConcernsOneConnection(error) || ++endpoint->refusals > kRefusals) {
    endpoint->accept_error = error;
  }
}

void IocpPort::OnAccept(IocpEndpoint* endpoint, AcceptRequest* request, int32_t error) {
  TakeAccepted(endpoint, request, error);
  Accept(endpoint);
}

void IocpPort::TakeSurplus(IocpEndpoint* endpoint) {
  if (!endpoint->surplus || endpoint->IsUnwanted(Opcode::kAccept)) return;
  while (!endpoint->surplus->empty() && endpoint->Has(Opcode::kAccept)) {
    const Connection one = endpoint->surplus->front();
    endpoint->surplus->pop_front();
    CompleteAccept(endpoint, one.fd, one.peer);
  }
  if (endpoint->surplus->empty()) endpoint->surplus.reset();
}

}  // namespace sideport
