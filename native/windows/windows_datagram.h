// What the completion port needs of datagram sockets besides datagram.h.
#pragma once

#include <cstdint>

#include "port/datagram_send.h"
#include "windows/windows_api.h"

namespace sideport {

// Whether the socket is told that nobody listens where it sent to. Windows tells every socket, and takes a
// receive for it; other systems only one that is connected. Wine tells as they do, whatever is set.
void HearRefusals(int fd, bool on);

// Of a receive: Winsock says WSAECONNRESET of what others call ECONNREFUSED.
int32_t RefusalOrError(int32_t error);

// 0 or WSAGetLastError(). Without a request the call does not wait; with one the kernel reads pieces until
// its packet.
int SendOne(int fd, const DatagramSend& send, const DatagramSend::Datagram& datagram,
            OVERLAPPED* request);

}  // namespace sideport
