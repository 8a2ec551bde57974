#include "readiness_port.h"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "errors.h"
#include "socket.h"

namespace sideport {
namespace {

// Numbers beyond are nonsense: no process has that many descriptors.
constexpr int32_t kEndpointLimit = 1 << 20;

bool IsCommand(int32_t opcode) { return opcode < static_cast<int32_t>(Opcode::kAccept); }

bool IsOperation(int32_t opcode) {
  return opcode >= static_cast<int32_t>(Opcode::kAccept) &&
         opcode <= static_cast<int32_t>(Opcode::kClose);
}

// How many records the first operation has: a send goes on while its pieces say so.
size_t PieceCount(const SubmissionRecord* records, size_t count) {
  size_t pieces = 1;
  if (records[0].opcode != static_cast<int32_t>(Opcode::kSend)) return pieces;
  while (pieces < count && (records[pieces - 1].d & kMorePieces) != 0 &&
         records[pieces].opcode == records[0].opcode &&
         records[pieces].endpoint == records[0].endpoint) {
    pieces++;
  }
  return pieces;
}

}  // namespace

ReadinessPort::ReadinessPort(std::shared_ptr<Awakener> awakener) : awakener_(std::move(awakener)) {}

ReadinessPort::~ReadinessPort() = default;

// -- turning --------------------------------------------------------------------------------------

size_t ReadinessPort::Turn(const SubmissionRecord* submissions, size_t submission_count,
                           CompletionRecord* completions, size_t capacity, int32_t timeout_ms) {
  CompletionRecord wake;
  const bool woken = awakener_->IsRaised() && TakeWake(&wake);
  completions_.Begin(completions, capacity, woken ? &wake : nullptr);
  Submit(submissions, submission_count);
  RunQueued();
  // A kernel that is never asked cannot say who else is ready: ask also when there is no room.
  const bool idle = completions_.IsEmpty() && queue_.IsEmpty();
  WaitFor(idle ? timeout_ms : 0);
  // The wake is to come first, so with something before it, it is left for the next turn, whose
  // start finds it.
  if (awakened_ && completions_.IsEmpty() && TakeWake(&wake)) completions_.Push(wake);
  awakened_ = false;
  RunQueued();
  return completions_.End();
}

void ReadinessPort::WaitFor(int32_t timeout_ms) {
  using Clock = std::chrono::steady_clock;
  if (timeout_ms < 0 || timeout_ms > kMaximumWaitMs) timeout_ms = kMaximumWaitMs;
  const auto until = Clock::now() + std::chrono::milliseconds(timeout_ms);
  // A signal (a profiler's, say) may interrupt at any rate: the limit is that of the whole wait.
  while (!Wait(timeout_ms)) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    timeout_ms = static_cast<int32_t>(std::max<int64_t>(0, left.count()));
  }
}

bool ReadinessPort::TakeWake(CompletionRecord* record) {
  const int32_t reasons = awakener_->Drain();
  *record = {};
  record->opcode = static_cast<int32_t>(Opcode::kWake);
  record->endpoint = record->segment = record->index = -1;
  record->result = reasons;
  record->flags = kMore;  // the awakener goes on
  return reasons != 0;
}

void ReadinessPort::RunQueued() {
  // Only those queued now: whoever is still runnable goes to the tail, for the next pass.
  for (size_t steps = queue_.size(); steps > 0 && completions_.HasRoom(); steps--) {
    Endpoint* const endpoint = queue_.Pop();
    Step(endpoint);
    Park(endpoint);
  }
}

// After anything that changed what is in flight. A level-triggered kernel must be asked only for
// what a parked operation waits for, or it reports the same readiness for ever.
void ReadinessPort::Park(Endpoint* endpoint) {
  if (endpoint->fd < 0) return;
  if (endpoint->IsRunnable()) queue_.Push(endpoint);
  const auto wanted = static_cast<uint8_t>(endpoint->Needed() & ~endpoint->ready);
  if (wanted == endpoint->wanted) return;
  endpoint->wanted = wanted;
  Rearm(endpoint);
}

void ReadinessPort::OnReady(Endpoint* endpoint, uint8_t readiness) {
  endpoint->ready |= readiness;
  if (endpoint->IsRunnable()) queue_.Push(endpoint);
}

// -- submissions ----------------------------------------------------------------------------------

void ReadinessPort::Submit(const SubmissionRecord* records, size_t count) {
  for (size_t at = 0; at < count;) {
    if (IsCommand(records[at].opcode)) {
      Command(records[at++]);
    } else {
      at += Start(records + at, count - at);
    }
  }
}

void ReadinessPort::Command(const SubmissionRecord& record) {
  Endpoint* const endpoint = Find(record.endpoint);
  switch (static_cast<Opcode>(record.opcode)) {
    case Opcode::kAdopt:
      if (endpoint == nullptr) Adopt(record.endpoint, record.a);
      return;
    case Opcode::kProvide:
      return buffers_.Provide(record.a, record.b, record.c);
    case Opcode::kCancel:
      if (endpoint != nullptr) Cancel(endpoint, record.a);
      return;
    case Opcode::kShutdown:
      if (endpoint != nullptr) ShutdownSocket(endpoint->fd, record.a);
      return;
    default:
      return;
  }
}

void ReadinessPort::Adopt(int32_t number, int fd) {
  if (number < 0 || number >= kEndpointLimit) return;
  const auto index = static_cast<size_t>(number);
  if (index >= endpoints_.size()) endpoints_.resize(index + 1);
  if (!endpoints_[index]) endpoints_[index] = std::make_unique<Endpoint>();
  Endpoint* const endpoint = endpoints_[index].get();
  unadopted_.erase(fd);
  endpoint->number = number;
  endpoint->adopted = true;
  endpoint->fd = fd;
  // A new socket can nearly always send. Whether it can be read the kernel says at the next wait.
  endpoint->ready = kWritable;
  endpoint->watch_error = Watch(endpoint);
  // No such descriptor: the number may be somebody else's soon, so it must not be closed here.
  if (endpoint->watch_error == NodeErrno(EBADF)) endpoint->fd = -1;
}

// Nothing is inside the kernel, so a cancelled operation is released here and now.
void ReadinessPort::Cancel(Endpoint* endpoint, int32_t opcode) {
  if (!IsOperation(opcode) || opcode == static_cast<int32_t>(Opcode::kClose)) return;
  if (!endpoint->Has(static_cast<Opcode>(opcode))) return;
  Release(endpoint, static_cast<Opcode>(opcode), NodeErrno(ECANCELED));
  Park(endpoint);
}

// Starts the operation at the head of `records`; returns how many of them it took.
size_t ReadinessPort::Start(const SubmissionRecord* records, size_t count) {
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
    } else if (opcode == Opcode::kClose) {
      queue_.Push(endpoint);
    } else {
      Park(endpoint);
    }
  }
  return taken;
}

// Checks the operation's arguments and stores them; 0 or an error.
int32_t ReadinessPort::Prepare(Endpoint* endpoint, const SubmissionRecord* records, size_t count) {
  const SubmissionRecord& record = records[0];
  switch (static_cast<Opcode>(record.opcode)) {
    case Opcode::kAccept:
      endpoint->accept_left = record.a;
      return record.a >= 1 ? 0 : NodeErrno(EINVAL);
    case Opcode::kConnect:
      endpoint->connect_begun = false;
      endpoint->remote = record.address;
      return 0;
    case Opcode::kReceive:
      endpoint->receive_group = record.a;
      endpoint->receive_left = record.b;
      return record.a >= 0 && record.b >= 1 ? 0 : NodeErrno(EINVAL);
    case Opcode::kSend:
      return PrepareSend(endpoint, records, count);
    default:
      endpoint->close_mode = static_cast<CloseMode>(record.a);
      return record.a == 0 || record.a == 1 ? 0 : NodeErrno(EINVAL);
  }
}

int32_t ReadinessPort::PrepareSend(Endpoint* endpoint, const SubmissionRecord* records,
                                   size_t count) {
  // The last record promises a piece that is not there, or there are too many.
  if (count > kPiecesPerSend || (records[count - 1].d & kMorePieces) != 0) return NodeErrno(EINVAL);
  int64_t total = 0;
  for (size_t at = 0; at < count; at++) {
    if (buffers_.Place(records[at].a, records[at].b, records[at].c) == nullptr) {
      return NodeErrno(EINVAL);
    }
    total += records[at].c;
  }
  // The result is the total, in one word.
  if (total > INT32_MAX) return NodeErrno(EINVAL);
  if (spare_sends_.empty()) spare_sends_.push_back(std::make_unique<SendOperation>());
  endpoint->send = std::move(spare_sends_.back());
  spare_sends_.pop_back();
  SendOperation& send = *endpoint->send;
  send.count = static_cast<int>(count);
  send.first = send.sent = 0;
  send.total = static_cast<int32_t>(total);
  for (size_t at = 0; at < count; at++) {
    const SubmissionRecord& piece = records[at];
    send.pieces[at] = {buffers_.Place(piece.a, piece.b, piece.c), static_cast<size_t>(piece.c)};
    send.segments[at] = piece.a;
    buffers_.CountSend(piece.a, 1);
  }
  return 0;
}

void ReadinessPort::Reject(const SubmissionRecord& record, int32_t error) {
  CompletionRecord completion{};
  completion.opcode = record.opcode;
  completion.endpoint = record.endpoint;
  completion.result = error;
  completion.flags = kRejected;
  completion.segment = completion.index = -1;
  completions_.Push(completion);
}

Endpoint* ReadinessPort::Find(int32_t number) {
  if (number < 0 || static_cast<size_t>(number) >= endpoints_.size()) return nullptr;
  Endpoint* const endpoint = endpoints_[static_cast<size_t>(number)].get();
  return endpoint != nullptr && endpoint->adopted ? endpoint : nullptr;
}

// -- memory and the end ---------------------------------------------------------------------------

void ReadinessPort::AddSegment(int32_t segment, uint8_t* memory, size_t buffer_size,
                               size_t buffer_count) {
  buffers_.AddSegment(segment, memory, buffer_size, buffer_count);
}

bool ReadinessPort::RemoveSegment(int32_t segment) { return buffers_.RemoveSegment(segment); }

void ReadinessPort::DropGroup(int32_t group) { buffers_.DropGroup(group); }

// Nothing is inside the kernel, so there is nothing to wait for. What it has been given to send it
// still delivers.
bool ReadinessPort::Shutdown(int32_t) {
  for (const auto& endpoint : endpoints_) {
    if (!endpoint || !endpoint->adopted) continue;
    if (!endpoint->Has(Opcode::kClose)) {
      started_++;
      endpoint->in_flight |= Endpoint::Bit(Opcode::kClose);
      endpoint->close_mode = CloseMode::kFlushed;
    }
    StepClose(endpoint.get());
  }
  for (int fd : unadopted_) CloseSocket(fd, CloseMode::kReset);
  unadopted_.clear();
  queue_ = RunQueue();
  completions_.Clear();
  buffers_.Clear();
  return started_ == released_;
}

}  // namespace sideport
