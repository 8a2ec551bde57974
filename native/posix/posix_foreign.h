// Receiving and sending on whatever descriptor an endpoint has: sockets by the calls of sockets, others by read and
// write. Which it is the first call finds out, so that ten thousand connections are not asked.
#pragma once

#include "port/endpoint.h"

namespace sideport {

// As Receive and SendVector (socket.h).
int32_t ReceiveAny(Endpoint* endpoint, uint8_t* into, size_t size);
int32_t SendAny(Endpoint* endpoint, const SendPiece* pieces, size_t count);

}  // namespace sideport
