// A SendTo in flight: datagrams, their pieces and their destinations, as the system takes them.
#pragma once

#include <array>
#include <cstdint>

#include "completion_port.h"
#include "kernel_address.h"
#include "port/send_vector.h"

namespace sideport {

struct DatagramSend {
  // By piece.
  std::array<SendPiece, kPiecesPerSendTo> pieces;
  std::array<int32_t, kPiecesPerSendTo> segments;
  int piece_count = 0;

  // By datagram: where its pieces begin, and whereto it goes (length 0: where the socket is connected).
  struct Datagram {
    int first_piece;
    int piece_count;
    KernelAddress destination;
  };
  std::array<Datagram, kPiecesPerSendTo> datagrams;
  int count = 0;
  int sent = 0;

  bool IsComplete() const { return sent == count; }
};

}  // namespace sideport
