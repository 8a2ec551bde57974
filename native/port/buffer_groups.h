// Segments of shared memory, and the groups of receive buffers cut from them.
//
//             Provide                    Take
//   selector's ──────► in its group ──────────────► named by a completion: the selector's
//                            ▲              │
//                            └── GiveBack ──┘ nothing was received
//
// A kernel that picks buffers itself is lent them: a buffer lent is still its group's, but no longer
// in its stack. Settle ends that, and the buffer is the selector's.
//
// A group is a stack: the buffer used last is the one most likely still in the processor's cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace sideport {

struct Buffer {
  uint8_t* memory = nullptr;  // nullptr: the group is empty
  size_t size = 0;
  int32_t segment = -1;
  int32_t index = -1;
};

class BufferGroups {
 public:
  void AddSegment(int32_t segment, uint8_t* memory, size_t buffer_size, size_t buffer_count);
  // False while a group has a buffer of the segment, or a send in flight uses it.
  bool RemoveSegment(int32_t segment);

  // Ignores what names no buffer, or one that a group already has: it would be handed out twice.
  // Whether it did not.
  bool Provide(int32_t group, int32_t segment, int32_t index);
  void DropGroup(int32_t group);
  Buffer Take(int32_t group);
  bool IsEmpty(int32_t group) const;
  void GiveBack(int32_t group, const Buffer& buffer);
  Buffer Lend(int32_t group);
  void Settle(const Buffer& buffer) { MarkProvided({buffer.segment, buffer.index}, false); }

  // Where `length` bytes lie in a segment, or nullptr if they do not lie within one.
  uint8_t* Place(int32_t segment, int32_t offset, int32_t length) const;
  // A send in flight reads from the segment (+1), or no longer does (-1).
  void CountSend(int32_t segment, int delta) { segments_[Index(segment)].sends += delta; }

  void Clear();

 private:
  struct Segment {
    uint8_t* memory = nullptr;  // nullptr: no such segment
    size_t buffer_size = 0;
    size_t buffer_count = 0;
    size_t in_groups = 0;
    int sends = 0;
    std::vector<bool> provided;  // by buffer: a group has it
  };
  struct Name {
    int32_t segment;
    int32_t index;
  };

  static size_t Index(int32_t number) { return static_cast<size_t>(number); }
  bool Has(int32_t segment) const {
    return segment >= 0 && Index(segment) < segments_.size() && segments_[Index(segment)].memory;
  }
  void MarkProvided(const Name& name, bool provided);

  std::vector<Segment> segments_;  // by number; numbers are small and used again
  std::unordered_map<int32_t, std::vector<Name>> groups_;
};

}  // namespace sideport
