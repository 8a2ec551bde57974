#include "port/port_base.h"

#include <cerrno>

#include "errors.h"
#include "socket.h"

namespace sideport {
namespace {

// Numbers beyond are nonsense: no process has that many descriptors.
constexpr int32_t kEndpointLimit = 1 << 20;

bool IsCommand(int32_t opcode) { return opcode < static_cast<int32_t>(Opcode::kAccept); }

bool IsOperation(int32_t opcode) {
  return opcode >= static_cast<int32_t>(Opcode::kAccept) &&
         opcode <= static_cast<int32_t>(Opcode::kSendTo) &&
         opcode != static_cast<int32_t>(Opcode::kWake);
}

// How many records the first operation has: a send goes on while its pieces say so.
size_t PieceCount(const SubmissionRecord* records, size_t count) {
  size_t pieces = 1;
  const auto opcode = static_cast<Opcode>(records[0].opcode);
  if (opcode != Opcode::kSend && opcode != Opcode::kSendTo) return pieces;
  while (pieces < count && (records[pieces - 1].d & kMorePieces) != 0 &&
         records[pieces].opcode == records[0].opcode &&
         records[pieces].endpoint == records[0].endpoint) {
    pieces++;
  }
  return pieces;
}

}  // namespace

PortBase::PortBase(std::shared_ptr<Awakener> awakener) : awakener_(std::move(awakener)) {}

PortBase::~PortBase() = default;

std::unique_ptr<Endpoint> PortBase::NewEndpoint() { return std::make_unique<Endpoint>(); }

void PortBase::Shut(Endpoint* endpoint, int32_t how) { ShutdownSocket(endpoint->fd, how); }

// -- submissions ----------------------------------------------------------------------------------

void PortBase::Submit(const SubmissionRecord* records, size_t count) {
  for (size_t at = 0; at < count;) {
    if (IsCommand(records[at].opcode)) {
      Command(records[at++]);
    } else {
      at += Start(records + at, count - at);
    }
  }
}

void PortBase::Command(const SubmissionRecord& record) {
  Endpoint* const endpoint = Find(record.endpoint);
  switch (static_cast<Opcode>(record.opcode)) {
    case Opcode::kAdopt:
      if (endpoint == nullptr) Adopt(record.endpoint, record.a);
      return;
    case Opcode::kProvide:
      return Provide(record.a, record.b, record.c);
    case Opcode::kCancel: {
      const bool cancels =
          IsOperation(record.a) && record.a != static_cast<int32_t>(Opcode::kClose);
      const auto cancelled = static_cast<Opcode>(record.a);
      if (endpoint != nullptr && cancels && endpoint->Has(cancelled)) Cancel(endpoint, cancelled);
      return;
    }
    case Opcode::kShutdown:
      if (endpoint != nullptr) Shut(endpoint, record.a);
      return;
    case Opcode::kExtend:
      if (endpoint != nullptr) Extend(endpoint, record.a);
      return;
    default:
      return;
  }
}

// Once the limit is reached a kernel that cannot count has been asked to end the receive.
void PortBase::Extend(Endpoint* endpoint, int32_t count) {
  int32_t& left = endpoint->receive_left;
  if (!endpoint->Has(Opcode::kReceive) || left <= 0 || count < 1) return;
  left = count > INT32_MAX - left ? INT32_MAX : left + count;
}

void PortBase::Adopt(int32_t number, int fd) {
  if (number < 0 || number >= kEndpointLimit) return;
  const auto index = static_cast<size_t>(number);
  if (index >= endpoints_.size()) endpoints_.resize(index + 1);
  if (!endpoints_[index]) endpoints_[index] = NewEndpoint();
  Endpoint* const endpoint = endpoints_[index].get();
  unadopted_.erase(fd);
  endpoint->number = number;
  endpoint->adopted = true;
  endpoint->fd = fd;
  endpoint->watch_error = Watch(endpoint);
  // No such descriptor: the number may be somebody else's soon, so it must not be closed here.
  if (endpoint->watch_error == NodeErrno(EBADF)) endpoint->fd = -1;
}

// Starts the operation at the head of `records`; returns how many of them it took.
size_t PortBase::Start(const SubmissionRecord* records, size_t count) {
  const SubmissionRecord& record = records[0];
  const auto opcode = static_cast<Opcode>(record.opcode);
  const size_t taken = PieceCount(records, count);
  Endpoint* const endpoint = Find(record.endpoint);
  const bool in_range = record.endpoint >= 0 && record.endpoint < kEndpointLimit;
  if (!IsOperation(record.opcode) || !in_range) {
    Reject(record, NodeErrno(EINVAL));
  } else if (endpoint == nullptr) {
    // Nobody is there to hold it: started and released in one.
    Endpoint stranger;
    stranger.number = record.endpoint;
    started_++;
    Release(&stranger, opcode, NodeErrno(EBADF));
  } else if (endpoint->Has(opcode) || endpoint->Has(Opcode::kClose)) {
    Reject(record, NodeErrno(EALREADY));
  } else if (const int32_t error = Prepare(endpoint, records, taken)) {
    Reject(record, error);
  } else {
    started_++;
    endpoint->in_flight |= Endpoint::Bit(opcode);
    if (endpoint->watch_error != 0 && opcode != Opcode::kClose) {
      Release(endpoint, opcode, endpoint->watch_error);
    } else {
      Begin(endpoint, opcode);
    }
  }
  return taken;
}

void PortBase::Reject(const SubmissionRecord& record, int32_t error) {
  CompletionRecord completion{};
  completion.opcode = record.opcode;
  completion.endpoint = record.endpoint;
  completion.result = error;
  completion.flags = kRejected;
  completion.segment = completion.index = -1;
  completions_.Push(completion);
}

Endpoint* PortBase::Find(int32_t number) {
  if (number < 0 || static_cast<size_t>(number) >= endpoints_.size()) return nullptr;
  Endpoint* const endpoint = endpoints_[static_cast<size_t>(number)].get();
  return endpoint != nullptr && endpoint->adopted ? endpoint : nullptr;
}

// -- completions ----------------------------------------------------------------------------------

void PortBase::Complete(Endpoint* endpoint, Opcode opcode, CompletionRecord record) {
  record.opcode = static_cast<int32_t>(opcode);
  record.endpoint = endpoint->number;
  const bool has_buffer = (opcode == Opcode::kReceive && record.result > 0) ||
                          (opcode == Opcode::kReceiveFrom && record.result >= 0);
  if (!has_buffer) record.segment = record.index = -1;
  if ((record.flags & kMore) == 0) {
    endpoint->in_flight &= static_cast<uint8_t>(~Endpoint::Bit(opcode));
    if (opcode == Opcode::kSend) DropSend(endpoint);
    if (opcode == Opcode::kSendTo) DropSendTo(endpoint);
    released_++;
  }
  completions_.Push(record);
}

void PortBase::Release(Endpoint* endpoint, Opcode opcode, int32_t result) {
  CompletionRecord record{};
  record.result = result;
  Complete(endpoint, opcode, record);
}

void PortBase::CompleteDatagram(Endpoint* endpoint, const Buffer& buffer, int32_t length,
                                bool more) {
  CompletionRecord record{};
  record.result = length;
  record.flags = more ? kMore : 0;
  record.segment = buffer.segment;
  record.index = buffer.index;
  Complete(endpoint, Opcode::kReceiveFrom, record);
}

void PortBase::CompleteEarlierError(Endpoint* endpoint, int32_t error) {
  CompletionRecord record{};
  record.result = error;
  record.flags = kMore;
  Complete(endpoint, Opcode::kReceiveFrom, record);
}

void PortBase::CompleteAccept(Endpoint* endpoint, int fd, const WireAddress& peer) {
  CompletionRecord record{};
  record.result = fd;
  record.address = peer;
  record.flags = --endpoint->accept_left > 0 ? kMore : 0;
  unadopted_.insert(fd);
  Complete(endpoint, Opcode::kAccept, record);
}

void PortBase::FinishClose(Endpoint* endpoint) {
  if (endpoint->fd >= 0) CloseSocket(endpoint->fd, endpoint->close_mode);
  // Freed before the release is told: its number may be used again from then on.
  endpoint->fd = -1;
  endpoint->adopted = false;
  endpoint->is_foreign = false;
  endpoint->watch_error = 0;
  Release(endpoint, Opcode::kClose, 0);
}

bool PortBase::TakeWake(CompletionRecord* record) {
  const int32_t reasons = awakener_->Drain();
  *record = {};
  record->opcode = static_cast<int32_t>(Opcode::kWake);
  record->endpoint = record->segment = record->index = -1;
  record->result = reasons;
  record->flags = kMore;  // the awakener goes on
  return reasons != 0;
}

// -- memory and the end ---------------------------------------------------------------------------

void PortBase::AddSegment(int32_t segment, uint8_t* memory, size_t buffer_size,
                          size_t buffer_count) {
  buffers_.AddSegment(segment, memory, buffer_size, buffer_count);
}

bool PortBase::RemoveSegment(int32_t segment) { return buffers_.RemoveSegment(segment); }

void PortBase::Provide(int32_t group, int32_t segment, int32_t index) {
  buffers_.Provide(group, segment, index);
}

void PortBase::DropGroup(int32_t group) { buffers_.DropGroup(group); }

bool PortBase::StartCloseAtShutdown(Endpoint* endpoint) {
  if (endpoint->Has(Opcode::kClose)) return false;
  started_++;
  endpoint->in_flight |= Endpoint::Bit(Opcode::kClose);
  // What the kernel has been given to send it still delivers.
  endpoint->close_mode = CloseMode::kFlushed;
  return true;
}

void PortBase::ForgetEverything() {
  for (int fd : unadopted_) CloseSocket(fd, CloseMode::kReset);
  unadopted_.clear();
  completions_.Clear();
  buffers_.Clear();
}

}  // namespace sideport
