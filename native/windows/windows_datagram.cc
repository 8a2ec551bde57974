// datagram.h over Winsock, and the calls of socket.h that only datagram sockets know. One call moves one
// datagram.

#include "windows/windows_datagram.h"

#include <algorithm>
#include <cerrno>

#include "datagram.h"
#include "errors.h"
#include "socket.h"
#include "windows/windows_errors.h"
#include "windows/windows_winsock.h"

// Older headers of MinGW lack it.
#ifndef SIO_UDP_NETRESET
#define SIO_UDP_NETRESET _WSAIOW(IOC_VENDOR, 15)
#endif

namespace sideport {
namespace {

void SetReports(int fd, DWORD reports, bool on) {
  BOOL value = on ? TRUE : FALSE;
  DWORD size = 0;
  WSAIoctl(ToSocket(fd), reports, &value, sizeof(value), nullptr, 0, &size, nullptr, nullptr);
}

// Whether a datagram came, or why not. `length` is its payload's.
int32_t ReceiveDatagram(int fd, const Buffer& buffer, int32_t* length) {
  WSABUF payload = {static_cast<ULONG>(buffer.size - kPayloadOffset),
                    reinterpret_cast<CHAR*>(buffer.memory + kPayloadOffset)};
  KernelAddress source{};
  source.length = sizeof(source.storage);
  DWORD flags = 0;
  DWORD received = 0;
  const int returned = WSARecvFrom(ToSocket(fd), &payload, 1, &received, &flags, source.get(),
                                   &source.length, nullptr, nullptr);
  const int error = returned == 0 ? 0 : WSAGetLastError();
  // Cut: as much of it as the buffer holds is there, and the rest is lost.
  const bool truncated = error == WSAEMSGSIZE;
  if (error != 0 && !truncated) return RefusalOrError(LastNodeErrno());
  *length = static_cast<int32_t>(truncated ? payload.len : received);
  WriteHeader(buffer.memory, *length, truncated, NowMs(), source);
  return 0;
}

}  // namespace

void HearRefusals(int fd, bool on) {
  SetReports(fd, SIO_UDP_CONNRESET, on);
  // That a datagram's time to live ran out: no other system tells it.
  SetReports(fd, SIO_UDP_NETRESET, false);
}

int32_t RefusalOrError(int32_t error) {
  return error == NodeErrno(ECONNRESET) ? NodeErrno(ECONNREFUSED) : error;
}

int32_t OpenDatagramSocket(int family) {
  if (family != 4 && family != 6) return NodeErrno(EAFNOSUPPORT);
  StartWinsock();
  const SOCKET socket = WSASocketW(family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM, IPPROTO_UDP,
                                   nullptr, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
  if (socket == INVALID_SOCKET) return LastNodeErrno();
  const int fd = FromSocket(socket);
  HearRefusals(fd, false);
  u_long on = 1;
  ioctlsocket(socket, FIONBIO, &on);
  return fd;
}

int32_t ConnectDatagram(int fd, const WireAddress& remote) {
  // An address of zeros takes the peer away (Microsoft, "connect function", remarks). As long as one of either
  // family: a shorter one is WSAEFAULT on Windows.
  KernelAddress kernel{};
  kernel.length = sizeof(kernel.storage);
  const bool disconnects = remote.family == 0;
  if (!disconnects && !ToKernel(remote, &kernel)) return NodeErrno(EINVAL);
  if (!disconnects) LocalhostForAny(&kernel);
  if (connect(ToSocket(fd), kernel.get(), kernel.length) != 0) return LastNodeErrno();
  HearRefusals(fd, !disconnects);
  return 0;
}

bool ConcernsEarlierSend(int32_t error) {
  static constexpr unsigned long kErrors[] = {WSAECONNREFUSED, WSAECONNRESET, WSAEHOSTUNREACH,
                                              WSAENETUNREACH,  WSAENETDOWN,   WSAENETRESET};
  return std::any_of(std::begin(kErrors), std::end(kErrors),
                     [error](unsigned long one) { return error == NodeErrnoOfCode(one); });
}

// As process.hrtime(), which libuv takes from the performance counter.
double NowMs() {
  static const double ticks_per_ms = [] {
    LARGE_INTEGER ticks_per_second;
    QueryPerformanceFrequency(&ticks_per_second);
    return static_cast<double>(ticks_per_second.QuadPart) / 1e3;
  }();
  LARGE_INTEGER ticks;
  QueryPerformanceCounter(&ticks);
  return static_cast<double>(ticks.QuadPart) / ticks_per_ms;
}

int32_t ReceiveDatagrams(int fd, const Buffer* buffers, size_t count, int32_t* lengths) {
  for (size_t at = 0; at < count; at++) {
    const int32_t error = ReceiveDatagram(fd, buffers[at], &lengths[at]);
    if (error != 0) return at > 0 ? static_cast<int32_t>(at) : error;
  }
  return static_cast<int32_t>(count);
}

int32_t SendDatagrams(int fd, const DatagramSend& send) {
  const int count = send.count - send.sent;
  for (int at = 0; at < count; at++) {
    const auto& datagram = send.datagrams[static_cast<size_t>(send.sent + at)];
    const int32_t error = SendOne(fd, send, datagram, nullptr);
    if (error != 0) return at > 0 ? at : NodeErrnoOfCode(static_cast<unsigned long>(error));
  }
  return count;
}

int SendOne(int fd, const DatagramSend& send, const DatagramSend::Datagram& datagram,
            OVERLAPPED* request) {
  const KernelAddress& destination = datagram.destination;
  // Read only; the call's type does not say so.
  auto* const pieces =
      const_cast<SendPiece*>(&send.pieces[static_cast<size_t>(datagram.first_piece)]);
  DWORD sent = 0;
  const int returned = WSASendTo(ToSocket(fd), pieces, static_cast<DWORD>(datagram.piece_count),
                                 request == nullptr ? &sent : nullptr, 0,
                                 destination.length > 0 ? destination.get() : nullptr,
                                 destination.length, request, nullptr);
  return returned == 0 ? 0 : WSAGetLastError();
}

// Room is waited for by an overlapped send.
bool CannotAwaitRoom(const DatagramSend&) { return false; }

int32_t SendDatagram(int fd, const uint8_t* bytes, size_t length,
                     const KernelAddress* destination) {
  KernelAddress to{};
  if (destination != nullptr) {
    to = *destination;
    LocalhostForAny(&to);
  }
  const int sent =
      sendto(ToSocket(fd), reinterpret_cast<const char*>(bytes), static_cast<int>(length), 0,
             to.length > 0 ? to.get() : nullptr, to.length);
  return sent < 0 ? LastNodeErrno() : sent;
}

}  // namespace sideport
