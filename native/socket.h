// Synchronous socket calls, for the backends and for the calls that JavaScript makes on the thread that
// owns a socket. Results are Node's negative errno, or what the call returns.
//
// A descriptor is an int. On Windows it is a SOCKET, 64 bits wide: Microsoft documents that handles have
// 32 significant bits, so that they may be cut to 32 bits and sign-extended again
// (windows/windows_socket.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "completion_port.h"
#include "kernel_address.h"
#include "port/send_vector.h"

namespace sideport {

void SetCloseOnExecAndNonBlocking(int fd);

int32_t OpenStreamSocket(int family);
int32_t OpenDatagramSocket(int family);
// Makes a socket that was opened elsewhere like ours. -ENOTSOCK, -EBADF.
int32_t AdoptDescriptor(int fd);
// Gives a datagram socket its peer, at once; an address of family 0 takes it away again.
int32_t ConnectDatagram(int fd, const WireAddress& remote);
struct BindFlags {
  bool reuse_address;
  // Several sockets on one port, each with its share of the connections: -ENOTSUP where there is no
  // such thing.
  bool reuse_port;
  bool v6only;
};
int32_t Bind(int fd, const WireAddress& address, const BindFlags& flags);
int32_t Listen(int fd, int backlog);
int32_t LocalAddress(int fd, WireAddress* out);
int32_t PeerAddress(int fd, WireAddress* out);
int32_t SetNoDelay(int fd, bool on);
int32_t GetNoDelay(int fd);
int32_t SetTtl(int fd, int ttl);
int32_t GetTtl(int fd);

// The operations that a readiness backend performs. All are non-blocking and retry EINTR.

// A connection, non-blocking and closed on exec, and its peer; -EAGAIN when there is none. By
// accept and fcntl, as every POSIX system has them: a fork in between inherits the descriptor.
int32_t AcceptConnection(int fd, WireAddress* peer);
#ifdef __linux__
// The same by accept4, which leaves no such gap.
int32_t AcceptConnectionAtomic(int fd, WireAddress* peer);
#endif
// accept(2): Linux passes pending network errors of the new connection on as errors of accept; the
// next connection may be sound. EPERM is a firewall's refusal of one connection. Anything else ends
// accepting: an error that stays would otherwise be met for ever.
bool ConcernsOneConnection(int32_t error);
// 0, -EINPROGRESS, or an error.
int32_t StartConnect(int fd, const WireAddress& remote);
// The outcome of a connect that was in progress, once the socket is writable.
int32_t ConnectResult(int fd);
int32_t Receive(int fd, uint8_t* into, size_t size);
// Never raises SIGPIPE.
int32_t SendVector(int fd, const SendPiece* pieces, size_t count);
void ShutdownSocket(int fd, int how);
// Closes as CloseMode says.
void CloseSocket(int fd, CloseMode mode);
// Closes a descriptor on which nothing was ever sent or received.
void CloseDescriptor(int fd);

}  // namespace sideport
