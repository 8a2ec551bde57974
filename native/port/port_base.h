// What every port of sockets does alike: takes the submissions apart, checks them against what is in
// flight, keeps endpoints, segments and the queue of completions. A backend derives from it and is
// left with performing operations.
//
// The rules of completion_port.h about rejections, releases and ownership are kept here, once.
//
// Files: of this class port_base.cc takes submissions and reports completions, port_base_arguments.cc checks
// and keeps what operations need while they are in flight.
#pragma once

#include <memory>
#include <unordered_set>
#include <vector>

#include "completion_port.h"
#include "port/awakener.h"
#include "port/buffer_groups.h"
#include "port/completion_queue.h"
#include "port/endpoint.h"

namespace sideport {

class PortBase : public CompletionPort {
 public:
  ~PortBase() override;

  void AddSegment(int32_t segment, uint8_t* memory, size_t buffer_size, size_t buffer_count) final;
  bool RemoveSegment(int32_t segment) final;
  void DropGroup(int32_t group) override;
  void Claim(int fd) final { unadopted_.insert(fd); }

 protected:
  explicit PortBase(std::shared_ptr<Awakener> awakener);

  // -- what a backend must supply -----------------------------------------------------------------

  // Begins to watch a descriptor; 0 or Node's negative errno.
  virtual int32_t Watch(Endpoint* endpoint) = 0;
  // The operation is in flight now, its arguments stored in the endpoint. Close included.
  virtual void Begin(Endpoint* endpoint, Opcode opcode) = 0;
  // Asks for the end of an operation in flight other than Close.
  virtual void Cancel(Endpoint* endpoint, Opcode opcode) = 0;
  // As kShutdown says. A kernel whose shutdown of reading is another one overrides it.
  virtual void Shut(Endpoint* endpoint, int32_t how);

  virtual std::unique_ptr<Endpoint> NewEndpoint();
  virtual void Provide(int32_t group, int32_t segment, int32_t index);

  // -- submissions
  void Submit(const SubmissionRecord* records, size_t count);

  // -- completions
  // Fills in the names, and ends the operation unless kMore is set.
  void Complete(Endpoint* endpoint, Opcode opcode, CompletionRecord record);
  void Release(Endpoint* endpoint, Opcode opcode, int32_t result);
  // Reports a datagram, which lies in a buffer that is the selector's from here on.
  void CompleteDatagram(Endpoint* endpoint, const Buffer& buffer, int32_t length, bool more);
  // Reports an error that ends nothing.
  void CompleteEarlierError(Endpoint* endpoint, int32_t error);
  // Reports a connection. It is the selector's from here on; until it adopts it, see unadopted_.
  void CompleteAccept(Endpoint* endpoint, int fd, const WireAddress& peer);
  // Every other operation is released: closes the descriptor, frees the endpoint, releases Close.
  void FinishClose(Endpoint* endpoint);
  // False when there is no reason to report.
  bool TakeWake(CompletionRecord* record);

  // -- the end
  // Close is in flight on the endpoint from here on; whether that is news.
  bool StartCloseAtShutdown(Endpoint* endpoint);
  // Once nothing is in flight.
  void ForgetEverything();

  std::shared_ptr<Awakener> awakener_;
  // By number, in place for good: the kernel holds their addresses. A closed one waits for its
  // number's next tenant.
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  CompletionQueue completions_;
  BufferGroups buffers_;

 private:
  void Command(const SubmissionRecord& record);
  void Extend(Endpoint* endpoint, int32_t count);
  void Adopt(int32_t number, int fd);
  size_t Start(const SubmissionRecord* records, size_t count);
  void Reject(const SubmissionRecord& record, int32_t error);
  Endpoint* Find(int32_t number);

  // -- what operations need (port_base_arguments.cc)
  int32_t Prepare(Endpoint* endpoint, const SubmissionRecord* records, size_t count);
  int32_t PrepareReceive(Endpoint* endpoint, const SubmissionRecord& record);
  int32_t PrepareSend(Endpoint* endpoint, const SubmissionRecord* records, size_t count);
  int32_t PrepareSendTo(Endpoint* endpoint, const SubmissionRecord* records, size_t count);
  bool PrepareDestination(const SubmissionRecord& record, KernelAddress* out) const;
  void DropSend(Endpoint* endpoint);
  void DropSendTo(Endpoint* endpoint);

  std::vector<std::unique_ptr<SendOperation>> spare_sends_;
  std::vector<std::unique_ptr<DatagramSend>> spare_sends_to_;
  // Accepted, reported, and not adopted yet. They are the selector's, but a selector whose thread
  // is terminated between a turn and the next would leak them: the end closes what is left.
  std::unordered_set<int> unadopted_;
};

}  // namespace sideport
