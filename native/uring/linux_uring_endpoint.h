// One socket inside a UringPort, and the names of its requests.
//
// An *operation* is what the selector started; a *request* is what the kernel works on for it. They
// differ: a send that the kernel took in part goes on with a second request, an accept that reached
// its limit is released while its multishot request is still being cancelled, and what is started on
// a connecting socket has no request yet.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>

#include "port/endpoint.h"
#include "socket.h"
#include "uring/linux_uring_buffers.h"

namespace sideport {

// A request's name, the user_data of its completions. A serial number makes it unique, so that a
// cancellation never hits the request that has come after the one it was meant for.
//
//    63                 32 31     30    24 23                  0
//   ┌─────────────────────┬────────┬────────┬────────────────────┐
//   │ serial              │ cancel │ opcode │ endpoint           │
//   └─────────────────────┴────────┴────────┴────────────────────┘
namespace request_name {

inline constexpr uint64_t kNone = 0;
// The completion of the cancellation of the request so named otherwise.
inline constexpr uint64_t kCancel = uint64_t{1} << 31;
inline constexpr uint64_t kCancelEverything = kCancel;
inline constexpr uint64_t kAwakener = static_cast<uint64_t>(Opcode::kWake) << 24;

inline uint64_t Make(uint32_t serial, Opcode opcode, int32_t endpoint) {
  return uint64_t{serial} << 32 | static_cast<uint64_t>(opcode) << 24 |
         static_cast<uint64_t>(endpoint);
}
inline Opcode OpcodeOf(uint64_t name) { return static_cast<Opcode>(name >> 24 & 0x7f); }
inline size_t EndpointOf(uint64_t name) { return static_cast<size_t>(name & 0xffffff); }

}  // namespace request_name

// What a receive completion said, waiting for its endpoint's turn.
struct ReceivedPiece {
  int32_t result;
  bool last;      // of its request
  Buffer buffer;  // with result > 0
};

// The request that watches for the peer's end, see UringPort::WatchHangUp. Close is performed without
// a request, so its name is free.
inline constexpr Opcode kHangUpWatch = Opcode::kClose;

// The others. The connect last: its end starts what is held back behind it.
inline constexpr Opcode kRequestOpcodes[] = {Opcode::kAccept, Opcode::kReceive,
                                             Opcode::kSend,   Opcode::kReceiveFrom,
                                             Opcode::kSendTo, Opcode::kConnect};

// What only a listener has.
struct Accepting {
  int refusals = 0;  // since the last connection accepted
  // Accepted beyond the limit, before the kernel heard of it. The next accept begins with them.
  std::deque<int> surplus;
};

struct UringEndpoint final : Endpoint {
  // By opcode: the serial number of the request inside the kernel, or 0.
  std::array<uint32_t, 8> serials{};
  uint8_t cancelling = 0;  // one bit per opcode: the request's cancellation is submitted
  uint8_t unwanted = 0;    // one bit per opcode: the operation is to end, by a cancel or a close

  bool hung_up = false;         // the peer's end or an error is near, or already met
  UringGroup* group = nullptr;  // of the receive request
  std::unique_ptr<std::deque<ReceivedPiece>> received;
  uint32_t last_turn = 0;  // in which a receive of it was completed

  std::unique_ptr<Accepting> accepting;
  std::unique_ptr<KernelAddress> connect_address;
  // What sendmsg is told: the kernel may read it later than in the call.
  std::unique_ptr<msghdr> message;

  static size_t Place(Opcode opcode) {
    return static_cast<size_t>(opcode) - static_cast<size_t>(Opcode::kAccept);
  }
  // The name of the request inside the kernel, or kNone.
  uint64_t Request(Opcode opcode) const {
    const uint32_t serial = serials[Place(opcode)];
    return serial == 0 ? request_name::kNone : request_name::Make(serial, opcode, number);
  }
  uint64_t Begin(Opcode opcode, uint32_t serial) {
    serials[Place(opcode)] = serial;
    return Request(opcode);
  }
  void End(Opcode opcode) { serials[Place(opcode)] = 0; }
  bool HasRequest() const { return serials != std::array<uint32_t, 8>{}; }
  bool HasReceived() const { return received != nullptr && !received->empty(); }
  bool IsUnwanted(Opcode opcode) const { return (unwanted & Bit(opcode)) != 0; }
};

}  // namespace sideport
