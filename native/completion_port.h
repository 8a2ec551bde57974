// The completion port: the one interface between sideport and a kernel.
//
// ## Why completions
//
// Kernels come in two kinds. A *completion* kernel (IOCP, io_uring) is handed an operation together
// with the memory it needs and tells later that the operation is done. A *readiness* kernel (epoll,
// poll, kqueue) tells that an operation would not block and leaves performing it to the caller.
// Completions can be made from readiness by performing the operation at the right moment; the reverse
// costs a probe per event. So this interface speaks of operations, a readiness kernel performs them
// behind it, and the translation to mio-style readiness happens once, above it, in TypeScript.
//
// ## What an operation is
//
// An operation is *started* by a record in the submission array and ends with exactly one *release*:
// a completion record without kMore. In between it may have completed any number of times with kMore
// (a multishot receive or accept). Nothing else ends an operation: cancelling is a request, after which
// the operation may still succeed, and its release still comes. `started() - released()` is therefore
// the number of operations whose memory the kernel may touch.
//
//            start                 completion with kMore
//      idle ───────► in flight ◄──────────────┐
//        ▲               │  └─────────────────┘
//        └───────────────┘
//            completion without kMore = release
//
// An operation is named by (endpoint, opcode). An *endpoint* is one socket inside the port, numbered by
// the selector; the number may be used again once its Close has been released. At most one operation
// of each opcode is in flight per endpoint, so sends of one connection never overlap. Starting a second
// one is answered at once with an own completion of -EALREADY that carries kRejected and releases
// nothing: the selector has a bug then, and says so.
//
// ## Who owns memory, until when
//
// * Segments are shared memory cut into buffers of one size. The port holds a reference to a segment
//   from AddSegment until RemoveSegment, and RemoveSegment refuses while an operation may use it.
// * A buffer provided to a group belongs to the port until a receive completion names it; from then on
//   it belongs to the selector, whatever the completion's result is. DropGroup takes back the rest.
// * A buffer with a datagram begins with a DatagramHeader, which the port has written; the payload
//   follows it. Both are the selector's from the completion on.
// * The buffers of a Send or a SendTo belong to the port from the submission to the release.
// * The submission array belongs to the port during Turn, to the selector at all other times; the
//   completion array likewise.
// * A descriptor belongs to the port from Adopt to the release of Close. Before and after it is the
//   selector's. An accepted descriptor is the selector's from its completion on. Should the port end
//   before the selector adopts a descriptor that it was reported, or has claimed, the port closes it.
//
// ## What a backend must supply
//
// 1. Turn: take the new submissions, start them, wait (only if nothing has completed yet) at most
//    timeout_ms and never longer than kMaximumWaitMs, fill the completion array.
// 2. Work per turn is bounded by the completion array, and endpoints take turns: one endpoint never
//    completes more than kReceivesPerEndpoint receives in one turn while others are ready.
// 3. Awakener::Wake from any thread makes the current or the next Turn return; wakes coalesce.
//    It is reported as one kWake record whose result is the OR of the wake reasons.
// 4. Shutdown: cancel everything, reap until no operation is in flight, release memory only then.
// 5. Every descriptor it makes is closed on exec.
//
// A completion kernel that picks buffers itself (io_uring's provided-buffer rings) implements a group
// as such a ring; one that cannot (IOCP) waits with a zero-byte receive and takes a buffer when that
// completes; a readiness kernel takes a buffer when the descriptor is ready. In all three an idle
// connection holds no buffer.
//
// ## Datagrams
//
// A datagram is received whole, into one buffer, or it is truncated to it and says so: nothing of it
// is left for the next receive. An empty datagram is a datagram: its completion has result 0 and a
// buffer, and does not end anything. What a kernel reports of datagrams sent earlier (ICMP: nobody
// listens there) arrives as an error of some later receive or send; it is never taken for a datagram,
// and never ends a ReceiveFrom. On Windows SIO_UDP_CONNRESET is switched off, so that a socket that
// is not connected hears no such errors there, as it hears none elsewhere.
//
// Datagram sockets have no order to keep and one system call can move many, so ReceiveFrom completes
// up to kDatagramsPerEndpoint times in a turn before other endpoints have theirs, and one SendTo
// carries several datagrams. On IOCP too a ReceiveFrom waits without a buffer, by a probe that peeks: with
// overlapped receives in flight an idle socket would hold a buffer for each.
//
// ## Pipes, and descriptors and handles of other makers
//
// kReceive, kSend and kClose work on whatever can be read and written and is waited for: pipes,
// terminals, serial lines, and on Windows any handle that was opened for overlapped operations. Those
// are no sockets, which a backend finds out by itself; the rules about memory and releases are the
// same. kAccept is theirs never, kConnect and the session of kShutdown are a named pipe's.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sideport {

// The record layouts are mirrored by src/protocol/port-records.ts. Every field is an int32 word.

inline constexpr int32_t kMaximumWaitMs = 100;
inline constexpr int kReceivesPerEndpoint = 1;
inline constexpr int kPiecesPerSend = 16;
inline constexpr int kDatagramsPerEndpoint = 32;
inline constexpr int kPiecesPerSendTo = 64;

// What a submission asks for. Commands take effect at once and have no completion; operations have
// exactly one release each. A command on an endpoint that was never adopted is ignored, an operation
// on one is released at once with -EBADF.
// clang-format off
enum class Opcode : int32_t {
  // -- commands ------------------------------------------------------------------------------------
  kAdopt = 1,     // a = descriptor. The endpoint takes it over. If the kernel refuses to watch it,
                  //     every later operation on the endpoint is released with that error.
  kProvide = 2,   // a = group, b = segment, c = index. Gives a receive buffer to the group.
  kCancel = 3,    // a = opcode to cancel. No effect when it is not in flight.
  kShutdown = 4,  // a = 0 read, 1 write, 2 both. As shutdown(2); ENOTCONN is ignored. Of a named pipe's
                  //     server end also 3: the session ends, what its client has not read is lost. What
                  //     is in flight is to be cancelled before; once it is released, kConnect may follow.
  kExtend = 5,    // a = n >= 1. The receive in flight may fill n buffers more than its limit: whoever
                  //     gives buffers back as they come need not see it end and start another. No
                  //     effect when none is in flight, or when it has reached its limit and ends.
  // -- operations ----------------------------------------------------------------------------------
  kAccept = 16,   // a = limit >= 1. Completes once per connection with kMore, at the limit without.
                  //     result = descriptor (non-blocking, closed on exec), address = peer.
                  //     Errors of one aborted connection (ECONNABORTED, EPROTO, ...) are skipped;
                  //     EMFILE, ENFILE, ENOBUFS, ENOMEM release the operation with that error.
  kConnect = 17,  // address = remote. result = 0 or error. Of a named pipe's server end, without an
                  //     address: waits for a client.
  kReceive = 18,  // a = group, b = limit >= 1. Fills at most `limit` buffers, one completion each:
                  //     result = bytes > 0, (segment, index) = the buffer. result = 0: end of stream,
                  //     no buffer, released. -ENOBUFS: group empty, released, nothing lost. A backend
                  //     whose kernel cannot count cancels at the limit; what completes before the
                  //     cancel is still reported, with kMore, and the release comes last.
  kSend = 19,     // a = segment, b = offset, c = length, d = flags. With kMorePieces the next record
                  //     continues this operation (same opcode and endpoint, at most kPiecesPerSend).
                  //     To a pipe of messages each record's bytes are one message.
                  //     Completes when the kernel has taken every byte (result = total bytes) or
                  //     failed for good.
  kClose = 20,    // a = CloseMode. Cancels what is in flight on the endpoint (their releases precede
                  //     this one), closes the descriptor, result = 0 always. The endpoint is then free.
  kWake = 21,     // never submitted; reports the awakener. endpoint = -1, result = reasons.
  // -- operations on datagram sockets --------------------------------------------------------------
  kReceiveFrom = 22,  // a = group, b = limit >= 1. As kReceive, with a datagram in each buffer, behind
                      //     its DatagramHeader: result = bytes of payload >= 0, (segment, index) = the
                      //     buffer. A buffer holds more than the header, or it is never filled.
                      //     An error that concerns an earlier send (ConcernsEarlierSend) completes
                      //     with kMore and without a buffer; it does not count against the limit.
                      //     -ENOBUFS: group empty, released, the datagram stays in the kernel. Excludes
                      //     kReceive on the same endpoint: -EALREADY.
  kSendTo = 23,       // a = segment, b = offset, c = length, d = flags, address = destination, or none
                      //     for a connected socket. With kMorePieces the next record belongs to this
                      //     operation (same opcode and endpoint, at most kPiecesPerSendTo), with
                      //     kSameDatagram besides to the same datagram, whose destination the first
                      //     record names. Sends in order, waits while there is no room, and ends at
                      //     the first datagram that fails: result = datagrams taken by the kernel
                      //     before that, or, when that was the first, its error. The selector starts
                      //     the rest anew.
};
// clang-format on

enum class CloseMode : int32_t {
  kFlushed = 0,  // FIN, then a bounded discard of what the peer already sent: closing a socket with
                 // unread input resets the connection, and the reset may overtake our last bytes.
  kReset = 1,    // SO_LINGER {1, 0}: RST now, nothing more is sent.
};

enum SendFlags : int32_t {
  kMorePieces = 1,
  kSameDatagram = 2,  // the next record goes on with this one's datagram
};

enum CompletionFlags : int32_t {
  kMore = 1,      // the operation stays in flight
  kRejected = 2,  // the submission was refused; no operation was started, none is released
  kGoesOn = 4,    // of a pipe of messages: the message goes on in the next buffer
};

// Why the port was woken; OR-ed together until the port has seen them.
enum WakeReason : int32_t {
  kWakeSubmission = 1,  // a client published submissions while the I/O thread slept
  kWakeControl = 2,     // a control message, a stop request or a client's death is waiting
};

// A socket address as both sides of every boundary write it, 24 bytes in six words:
//   byte 0 family (4 or 6, 0 = none), byte 1 zero, bytes 2-3 port (big-endian),
//   bytes 4-7 IPv6 scope id (native order), bytes 8-23 address (IPv4 in the first four).
struct WireAddress {
  uint8_t family;
  uint8_t zero;
  uint8_t port_be[2];
  uint32_t scope_id;
  uint8_t address[16];
};
static_assert(sizeof(WireAddress) == 24);

// Of a Unix-domain socket: family 1, byte 1 the length of its name (0: it has none; a leading zero
// byte: abstract, Linux). A name is too long for a WireAddress. In a SendTo record the scope id says
// at which offset of the record's segment it lies; in a DatagramHeader it follows byte 1.
inline constexpr uint8_t kUnixFamily = 1;
inline constexpr size_t kUnixNameLimit = 108;

// What precedes a datagram in its buffer.
struct DatagramHeader {
  int32_t flags;        // DatagramFlags
  int32_t length;       // bytes of payload
  double arrived_ms;    // when the port saw it: the system's monotonic clock, as process.hrtime()
  uint8_t source[112];  // a WireAddress, or a Unix name as above; family 0: the sender has none
};
static_assert(sizeof(DatagramHeader) == 128);

enum DatagramFlags : int32_t { kTruncated = 1 };

struct SubmissionRecord {
  int32_t opcode;
  int32_t endpoint;
  int32_t a, b, c, d;
  WireAddress address;
};
static_assert(sizeof(SubmissionRecord) == 48);

struct CompletionRecord {
  int32_t opcode;
  int32_t endpoint;
  int32_t result;  // >= 0, or Node's negative errno (errors.h)
  int32_t flags;
  int32_t segment;  // receive, receive-from: the buffer filled, else -1
  int32_t index;
  WireAddress address;
};
static_assert(sizeof(CompletionRecord) == 48);

class CompletionPort {
 public:
  CompletionPort() = default;
  CompletionPort(const CompletionPort&) = delete;
  CompletionPort& operator=(const CompletionPort&) = delete;
  virtual ~CompletionPort() = default;

  // The backend that really runs: "io_uring", "epoll", "poll", later "iocp".
  virtual const char* name() const = 0;

  // One loop turn; returns how many completion records were written (0 after a time-out).
  // timeout_ms < 0 means "as long as a slice may last". capacity >= 1.
  virtual size_t Turn(const SubmissionRecord* submissions, size_t submission_count,
                      CompletionRecord* completions, size_t capacity, int32_t timeout_ms) = 0;

  // `memory` stays valid and in place until RemoveSegment returned true or the port is destroyed.
  virtual void AddSegment(int32_t segment, uint8_t* memory, size_t buffer_size,
                          size_t buffer_count) = 0;
  // False while an operation in flight, or a group, may still touch the segment.
  virtual bool RemoveSegment(int32_t segment) = 0;
  // Takes back every buffer that the group still holds. Receives on it then find it empty.
  virtual void DropGroup(int32_t group) = 0;

  // The selector will adopt the descriptor.
  virtual void Claim(int fd) = 0;

  // Cancels everything, closes every descriptor it owns and reaps until nothing is in flight.
  // Returns false if the kernel gave nothing back for timeout_ms although something is in flight: the
  // caller then leaks the port and its segments on purpose.
  virtual bool Shutdown(int32_t timeout_ms) = 0;

  uint64_t started() const { return started_; }
  uint64_t released() const { return released_; }

 protected:
  uint64_t started_ = 0;
  uint64_t released_ = 0;
};

}  // namespace sideport
