// One socket inside a port: what is in flight on it and what is known of its readiness.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "completion_port.h"
#include "port/datagram_send.h"
#include "port/send_vector.h"

namespace sideport {

// What the kernel says, or is believed to say, of a descriptor.
enum ReadinessBits : uint8_t {
  kReadable = 1,
  kWritable = 2,
  // The end, an error or urgent data is near. Reported once by an edge-triggered kernel, perhaps
  // before we read: from then on a short read or write does not mean that there is no more.
  kExhaustive = 4,
};

// A send in flight. Apart from the endpoint, which idles most of the time and should be small.
struct SendOperation {
  std::array<SendPiece, kPiecesPerSend> pieces;
  std::array<int32_t, kPiecesPerSend> segments;
  int count = 0;
  int first = 0;  // pieces before it are sent
  int32_t total = 0;
  int32_t sent = 0;
  bool begun = false;  // the kernel has been asked before

  bool IsComplete() const { return sent == total; }

  // The kernel took `bytes` more of it.
  void Advance(int32_t bytes) {
    sent += bytes;
    auto left = static_cast<size_t>(bytes);
    for (; first < count; first++) {
      SendPiece& piece = pieces[static_cast<size_t>(first)];
      if (left < SizeOf(piece)) return Skip(&piece, left);
      left -= SizeOf(piece);
    }
  }
};

struct Endpoint {
  virtual ~Endpoint() = default;

  int32_t number = -1;
  bool adopted = false;
  int fd = -1;              // -1 also when the kernel knew no such descriptor
  int32_t watch_error = 0;  // every operation is released with it
  uint8_t in_flight = 0;    // one bit per operation's opcode

  // What a readiness kernel has told, ReadinessBits. A new socket can nearly always send; whether
  // it can be read is told at the next wait.
  uint8_t ready = kWritable;
  uint8_t wanted = 0;  // what parked operations wait for, as last told to the kernel

  // The queue of the runnable, linked through its members.
  bool queued = false;
  Endpoint* next = nullptr;

  // What belongs to each operation while it is in flight. A receive and a receive-from exclude each
  // other and share what they need.
  int32_t accept_left = 0;
  int32_t receive_left = 0;
  int32_t receive_group = 0;
  bool connect_begun = false;
  std::unique_ptr<WireAddress> remote;  // of a connect
  CloseMode close_mode = CloseMode::kFlushed;
  std::unique_ptr<SendOperation> send;
  std::unique_ptr<DatagramSend> send_to;
  // Datagrams that the last receive-from found at once: the next one asks for some more.
  uint8_t datagram_batch = 0;

  static uint8_t Bit(Opcode opcode) {
    return static_cast<uint8_t>(
        1 << (static_cast<int>(opcode) - static_cast<int>(Opcode::kAccept)));
  }
  bool Has(Opcode opcode) const { return (in_flight & Bit(opcode)) != 0; }

  // What the operations in flight need the descriptor to be. A connecting socket neither sends nor
  // receives: the calls would fail with ENOTCONN instead of waiting.
  uint8_t Needed() const {
    if (Has(Opcode::kConnect)) return kWritable;
    const bool readable =
        Has(Opcode::kAccept) || Has(Opcode::kReceive) || Has(Opcode::kReceiveFrom);
    const bool writable = Has(Opcode::kSend) || Has(Opcode::kSendTo);
    return static_cast<uint8_t>((readable ? kReadable : 0) | (writable ? kWritable : 0));
  }
  // Whether a step would do something now.
  bool IsRunnable() const {
    const bool connects = Has(Opcode::kConnect) && !connect_begun;
    return Has(Opcode::kClose) || connects || (Needed() & ready) != 0;
  }
};

// First in, first out: whoever is still runnable after its step goes to the tail.
class RunQueue {
 public:
  bool IsEmpty() const { return size_ == 0; }
  size_t size() const { return size_; }

  void Push(Endpoint* endpoint) {
    if (endpoint->queued) return;
    endpoint->queued = true;
    endpoint->next = nullptr;
    (head_ == nullptr ? head_ : tail_->next) = endpoint;
    tail_ = endpoint;
    size_++;
  }

  Endpoint* Pop() {
    Endpoint* const endpoint = head_;
    head_ = endpoint->next;
    endpoint->queued = false;
    size_--;
    return endpoint;
  }

 private:
  Endpoint* head_ = nullptr;
  Endpoint* tail_ = nullptr;
  size_t size_ = 0;
};

}  // namespace sideport
