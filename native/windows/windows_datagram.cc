// datagram.h over Winsock, as far as it is not the completion port's: what the thread that owns a socket calls.

#include "datagram.h"
#include "errors.h"
#include "socket.h"
#include "windows/windows_errors.h"
#include "windows/windows_winsock.h"

namespace sideport {
namespace {

// What a datagram meets that nobody receives comes back as WSAECONNRESET of some later receive, also to
// a socket without a peer, which has no use for it. Off, as elsewhere.
void IgnoreConnectionResets(SOCKET socket) {
  BOOL report = FALSE;
  DWORD returned = 0;
  WSAIoctl(socket, SIO_UDP_CONNRESET, &report, sizeof(report), nullptr, 0, &returned, nullptr,
           nullptr);
}

void MakeNonBlocking(SOCKET socket) {
  u_long on = 1;
  ioctlsocket(socket, FIONBIO, &on);
}

}  // namespace

int32_t OpenDatagramSocket(int family) {
  if (family != 4 && family != 6) return NodeErrno(EAFNOSUPPORT);
  StartWinsock();
  const SOCKET socket = WSASocketW(family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM, IPPROTO_UDP,
                                   nullptr, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
  if (socket == INVALID_SOCKET) return LastNodeErrno();
  MakeNonBlocking(socket);
  IgnoreConnectionResets(socket);
  return FromSocket(socket);
}

int32_t AdoptDescriptor(int fd) {
  StartWinsock();
  int type = 0;
  int length = sizeof(type);
  const SOCKET socket = ToSocket(fd);
  if (getsockopt(socket, SOL_SOCKET, SO_TYPE, reinterpret_cast<char*>(&type), &length) != 0) {
    return LastNodeErrno();
  }
  MakeNonBlocking(socket);
  SetHandleInformation(ToHandle(fd), HANDLE_FLAG_INHERIT, 0);
  if (type == SOCK_DGRAM) IgnoreConnectionResets(socket);
  return 0;
}

// Winsock dissolves the association for an address of all zeros.
int32_t ConnectDatagram(int fd, const WireAddress& remote) {
  KernelAddress kernel{};
  if (remote.family == 0) {
    WireAddress local{};
    const int32_t named = LocalAddress(fd, &local);
    if (named != 0) return named;
    const bool v6 = local.family == 6;
    kernel.storage.ss_family =
        static_cast<decltype(kernel.storage.ss_family)>(v6 ? AF_INET6 : AF_INET);
    kernel.length = v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  } else if (!ToKernel(remote, &kernel)) {
    return NodeErrno(EINVAL);
  }
  return connect(ToSocket(fd), kernel.get(), kernel.length) == 0 ? 0 : LastNodeErrno();
}

int32_t SendDatagram(int fd, const uint8_t* bytes, size_t length,
                     const KernelAddress* destination) {
  const sockaddr* const address = destination != nullptr ? destination->get() : nullptr;
  const int address_length = destination != nullptr ? destination->length : 0;
  const int sent = sendto(ToSocket(fd), reinterpret_cast<const char*>(bytes),
                          static_cast<int>(length), 0, address, address_length);
  return sent < 0 ? LastNodeErrno() : sent;
}

}  // namespace sideport
