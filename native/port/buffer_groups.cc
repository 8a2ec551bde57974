#include "port/buffer_groups.h"

namespace sideport {

void BufferGroups::AddSegment(int32_t segment, uint8_t* memory, size_t buffer_size,
                              size_t buffer_count) {
  if (Index(segment) >= segments_.size()) segments_.resize(Index(segment) + 1);
  segments_[Index(segment)] = {memory, buffer_size, buffer_count,
                               0,      0,           std::vector<bool>(buffer_count)};
}

bool BufferGroups::RemoveSegment(int32_t segment) {
  if (!Has(segment)) return true;
  Segment& removed = segments_[Index(segment)];
  if (removed.in_groups > 0 || removed.sends > 0) return false;
  removed = Segment();
  return true;
}

bool BufferGroups::Provide(int32_t group, int32_t segment, int32_t index) {
  if (group < 0 || !Has(segment) || index < 0) return false;
  const Segment& owner = segments_[Index(segment)];
  if (Index(index) >= owner.buffer_count || owner.provided[Index(index)]) return false;
  groups_[group].push_back({segment, index});
  MarkProvided({segment, index}, true);
  return true;
}

void BufferGroups::DropGroup(int32_t group) {
  const auto found = groups_.find(group);
  if (found == groups_.end()) return;
  for (const Name& name : found->second) MarkProvided(name, false);
  groups_.erase(found);
}

Buffer BufferGroups::Take(int32_t group) {
  const Buffer buffer = Lend(group);
  if (buffer.memory != nullptr) Settle(buffer);
  return buffer;
}

Buffer BufferGroups::Lend(int32_t group) {
  const auto found = groups_.find(group);
  if (found == groups_.end() || found->second.empty()) return {};
  const Name name = found->second.back();
  found->second.pop_back();
  const Segment& owner = segments_[Index(name.segment)];
  return {owner.memory + Index(name.index) * owner.buffer_size, owner.buffer_size, name.segment,
          name.index};
}

void BufferGroups::GiveBack(int32_t group, const Buffer& buffer) {
  Provide(group, buffer.segment, buffer.index);
}

bool BufferGroups::IsEmpty(int32_t group) const {
  const auto found = groups_.find(group);
  return found == groups_.end() || found->second.empty();
}

uint8_t* BufferGroups::Place(int32_t segment, int32_t offset, int32_t length) const {
  if (!Has(segment) || offset < 0 || length < 0) return nullptr;
  const Segment& owner = segments_[Index(segment)];
  const size_t size = owner.buffer_size * owner.buffer_count;
  // Added as size_t: the sum of two int32 may not fit one.
  return Index(offset) + Index(length) <= size ? owner.memory + offset : nullptr;
}

void BufferGroups::Clear() {
  groups_.clear();
  segments_.clear();
}

void BufferGroups::MarkProvided(const Name& name, bool provided) {
  Segment& owner = segments_[Index(name.segment)];
  owner.provided[Index(name.index)] = provided;
  owner.in_groups += provided ? 1 : static_cast<size_t>(-1);
}

}  // namespace sideport
