#include "uring/linux_uring_buffers.h"

#include <sys/mman.h>

#include <new>

namespace sideport {
namespace {

constexpr size_t kRingBytes = kBufferRingEntries * sizeof(uring::BufferRingEntry);
constexpr uint16_t kRingMask = kBufferRingEntries - 1;

}  // namespace

// A mapping of its own starts at a page, which the kernel demands.
UringBufferRing::UringBufferRing() {
  void* const memory =
      mmap(nullptr, kRingBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  // The kernel holds on to this very page. After a fork, until the child's exec, writing to it would
  // give us a copy that the kernel never looks at.
  madvise(memory, kRingBytes, MADV_DONTFORK);
  entries = static_cast<uring::BufferRingEntry*>(memory);
  free_ids.reserve(kBufferRingEntries);
  for (size_t id = kBufferRingEntries; id > 0; id--) {
    free_ids.push_back(static_cast<uint16_t>(id - 1));
  }
}

UringBufferRing::~UringBufferRing() { munmap(entries, kRingBytes); }

void UringBuffers::Provide(UringQueue* queue, int32_t number, int32_t segment, int32_t index) {
  if (!buffers_.Provide(number, segment, index)) return;
  UringGroup* const group = FindOrMake(number);
  if (!group->registered && !group->refused) Register(queue, group);
  Refill(group);
}

void UringBuffers::Register(UringQueue* queue, UringGroup* group) {
  if (!group->ring) group->ring = std::make_unique<UringBufferRing>();
  uring::BufferRingRegistration registration{};
  registration.ring_address = reinterpret_cast<uint64_t>(group->ring->entries);
  registration.ring_entries = kBufferRingEntries;
  registration.group = group->id;
  // The kernel starts from its own index 0.
  group->ring->tail = 0;
  __atomic_store_n(&group->ring->entries[0].tail, uint16_t{0}, __ATOMIC_RELEASE);
  group->registered = queue->Register(uring::kRegisterBufferRing, &registration, 1) >= 0;
  group->refused = !group->registered;
}

void UringBuffers::Refill(UringGroup* group) {
  if (!group->registered) return;
  UringBufferRing& ring = *group->ring;
  while (!ring.free_ids.empty()) {
    const Buffer buffer = buffers_.Lend(group->number);
    if (buffer.memory == nullptr) break;
    const uint16_t id = ring.free_ids.back();
    ring.free_ids.pop_back();
    ring.lent[id] = buffer;
    // Not the entry as a whole: the ring's tail lies in the first one.
    uring::BufferRingEntry& entry = ring.entries[ring.tail++ & kRingMask];
    entry.address = reinterpret_cast<uint64_t>(buffer.memory);
    entry.length = static_cast<uint32_t>(buffer.size);
    entry.id = id;
  }
  __atomic_store_n(&ring.entries[0].tail, ring.tail, __ATOMIC_RELEASE);
}

UringGroup* UringBuffers::BeginReceive(int32_t number) {
  UringGroup* const group = FindOrMake(number);
  group->receives++;
  return group;
}

void UringBuffers::EndReceive(UringGroup* group) {
  group->receives--;
  ForgetIfUnused(group);
}

Buffer UringBuffers::Filled(UringGroup* group, uint16_t id) {
  UringBufferRing& ring = *group->ring;
  const Buffer buffer = ring.lent[id];
  ring.lent[id] = {};
  ring.free_ids.push_back(id);
  Refill(group);
  return buffer;
}

void UringBuffers::GiveBack(UringGroup* group, const Buffer& buffer) {
  buffers_.Settle(buffer);
  if (!group->registered && !group->refused) return;  // dropped meanwhile
  buffers_.GiveBack(group->number, buffer);
  Refill(group);
}

bool UringBuffers::HasAny(int32_t number) const {
  const UringGroup* const group = Find(number);
  if (group == nullptr) return false;
  if (group->refused) return !buffers_.IsEmpty(number);
  return group->registered && group->ring->free_ids.size() < kBufferRingEntries;
}

UringGroup* UringBuffers::Unregister(UringQueue* queue, int32_t number) {
  UringGroup* const group = Find(number);
  if (group == nullptr) return nullptr;
  if (group->registered) {
    uring::BufferRingRegistration registration{};
    registration.group = group->id;
    queue->Register(uring::kUnregisterBufferRing, &registration, 1);
    group->registered = false;
  }
  return group;
}

void UringBuffers::TakeBack(UringGroup* group, const std::vector<bool>& is_filled) {
  buffers_.DropGroup(group->number);
  if (group->ring) {
    for (uint16_t id = 0; id < kBufferRingEntries; id++) {
      Buffer& buffer = group->ring->lent[id];
      if (buffer.memory == nullptr || is_filled[id]) continue;
      buffers_.Settle(buffer);
      buffer = {};
      group->ring->free_ids.push_back(id);
    }
  }
  ForgetIfUnused(group);
}

void UringBuffers::Clear(UringQueue* queue) {
  for (const auto& [number, group] : groups_) Unregister(queue, number);
  groups_.clear();
}

UringGroup* UringBuffers::Find(int32_t number) const {
  const auto found = groups_.find(number);
  return found == groups_.end() ? nullptr : found->second.get();
}

UringGroup* UringBuffers::FindOrMake(int32_t number) {
  std::unique_ptr<UringGroup>& group = groups_[number];
  if (group) return group.get();
  group = std::make_unique<UringGroup>();
  group->number = number;
  if (!free_ids_.empty()) {
    group->id = free_ids_.back();
    free_ids_.pop_back();
  } else if (next_id_ != UINT16_MAX) {
    group->id = next_id_++;
  } else {
    group->id = UINT16_MAX;  // the kernel's names are used up
    group->refused = true;
  }
  return group.get();
}

void UringBuffers::ForgetIfUnused(UringGroup* group) {
  if (group->registered || group->receives > 0) return;
  if (group->id != UINT16_MAX) free_ids_.push_back(group->id);
  groups_.erase(group->number);
}

}  // namespace sideport
