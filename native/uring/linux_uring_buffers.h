// Groups of receive buffers, given to the kernel to choose from: one provided-buffer ring per group.
//
//                 Provide          Refill                kernel              Filled
//   selector's ──────► the group's ──────► in the ring ──────► named by a ──────► a completion's,
//                       stack    (an id)                       completion         Settled when told
//
// A ring is one page of private memory, 256 entries. Private, although DESIGN would allow shared:
// an entry is a raw address to which the kernel will write, and a client that could scribble over it
// could have any of the process's memory overwritten. One page, because a group may hold any number
// of buffers and a ring cannot grow: those that do not fit wait in the group's stack, and the ring is
// refilled whenever a completion has named one.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "port/buffer_groups.h"
#include "uring/linux_uring_queue.h"

namespace sideport {

inline constexpr size_t kBufferRingEntries = 256;

// A page that the kernel reads, and what each id in it stands for.
struct UringBufferRing {
  UringBufferRing();  // throws std::bad_alloc
  ~UringBufferRing();
  UringBufferRing(const UringBufferRing&) = delete;
  UringBufferRing& operator=(const UringBufferRing&) = delete;

  uring::BufferRingEntry* entries;
  uint16_t tail = 0;
  // By id: the buffer lent under it, with no memory when the id is free.
  std::array<Buffer, kBufferRingEntries> lent{};
  std::vector<uint16_t> free_ids;
};

struct UringGroup {
  int32_t number = -1;
  uint16_t id = 0;       // the kernel's name for it
  int32_t receives = 0;  // requests in flight that take from it
  // The kernel refused the ring. It counts as locked memory, of which an unprivileged user may have
  // used up his share since the port was opened. Then buffers stay in the stack, see TakeByHand.
  bool refused = false;
  bool registered = false;
  std::unique_ptr<UringBufferRing> ring;  // nullptr: nothing was provided yet
};

class UringBuffers {
 public:
  explicit UringBuffers(BufferGroups* buffers) : buffers_(*buffers) {}

  void Provide(UringQueue* queue, int32_t group, int32_t segment, int32_t index);

  // For a receive about to start, and when it has ended. A group lives as long as it has either
  // buffers or receives: until then its id must not become another group's.
  UringGroup* BeginReceive(int32_t group);
  void EndReceive(UringGroup* group);

  // The buffer that a completion names by id. The group's still, until Settle or GiveBack.
  Buffer Filled(UringGroup* group, uint16_t id);
  // Nothing was received into it.
  void GiveBack(UringGroup* group, const Buffer& buffer);

  // A buffer of a group whose ring was refused, as Filled; no memory when there is none.
  Buffer TakeByHand(UringGroup* group) { return buffers_.Lend(group->number); }

  // Whether a receive that found the group empty would now find a buffer, unless completions not
  // popped yet have named all of them.
  bool HasAny(int32_t group) const;

  // Takes the ring from the kernel. nullptr when the group has none. No receive of the group runs
  // during the call, as this thread makes it, and those in flight hold no buffer while they wait.
  UringGroup* Unregister(UringQueue* queue, int32_t group);
  // Then, with the ids that completions not popped yet name: takes back all the others.
  void TakeBack(UringGroup* group, const std::vector<bool>& is_filled);

  // Once no receive is in flight.
  void Clear(UringQueue* queue);

 private:
  UringGroup* Find(int32_t group) const;
  UringGroup* FindOrMake(int32_t group);
  void Register(UringQueue* queue, UringGroup* group);
  void Refill(UringGroup* group);
  void ForgetIfUnused(UringGroup* group);

  BufferGroups& buffers_;
  std::unordered_map<int32_t, std::unique_ptr<UringGroup>> groups_;
  std::vector<uint16_t> free_ids_;
  uint16_t next_id_ = 0;
};

}  // namespace sideport
