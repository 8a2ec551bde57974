// Calls on datagram sockets, UDP and Unix-domain, for the backends. All are non-blocking
// and retry EINTR; results are Node's negative errno, or what the call returns.
#pragma once

#include <cstddef>
#include <cstdint>

#include "completion_port.h"
#include "kernel_address.h"
#include "port/buffer_groups.h"
#include "port/datagram_send.h"

namespace sideport {

// Where a datagram's payload begins in its buffer.
inline constexpr size_t kPayloadOffset = sizeof(DatagramHeader);
// Room for a sender's address while the kernel writes it; what is cut off of it is only padding.
inline constexpr size_t kSourceRoom = sizeof(DatagramHeader::source);

// Whether a receive may fail so because of a datagram that was sent before: the socket is sound.
bool ConcernsEarlierSend(int32_t error);

// The system's monotonic clock in milliseconds.
double NowMs();

// Describes the datagram behind it.
void WriteHeader(uint8_t* buffer, int32_t length, bool truncated, double arrived_ms,
                 const KernelAddress& source);

// Fills at most `count` (<= kDatagramsPerEndpoint) buffers, each larger than a header, headers included;
// `lengths` are the payloads'. How many, or why there is none.
int32_t ReceiveDatagrams(int fd, const Buffer* buffers, size_t count, int32_t* lengths);

// Sends from the first unsent datagram on. How many the kernel took, or why it did not take the first.
int32_t SendDatagrams(int fd, const DatagramSend& send);
// Whether the send must not wait for room: no kernel tells when another Unix socket has some again.
bool CannotAwaitRoom(const DatagramSend& send);

// One datagram, at once; bytes or an error.
int32_t SendDatagram(int fd, const uint8_t* bytes, size_t length, const KernelAddress* destination);

}  // namespace sideport
