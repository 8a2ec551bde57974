// The completions of one turn, and those that wait for the next.
//
// The array that a turn fills has a size; a close or a cancel releases at once, whether there is
// room or not. What does not fit is deferred and comes first in the next turn, so that nothing is
// lost and the order in which operations were released is kept.
#pragma once

#include <cstddef>
#include <deque>

#include "completion_port.h"

namespace sideport {

class CompletionQueue {
 public:
  // From here on completions go to `records`. `first`, if any, precedes all that were deferred.
  void Begin(CompletionRecord* records, size_t capacity, const CompletionRecord* first) {
    records_ = records;
    capacity_ = capacity;
    count_ = 0;
    if (first != nullptr) records_[count_++] = *first;
    while (count_ < capacity_ && !deferred_.empty()) {
      records_[count_++] = deferred_.front();
      deferred_.pop_front();
    }
  }

  // The array is the selector's again; returns how many records it holds.
  size_t End() {
    const size_t count = count_;
    records_ = nullptr;
    capacity_ = count_ = 0;
    return count;
  }

  // Whether an operation may be performed: its completion would not be deferred.
  bool HasRoom() const { return count_ < capacity_ && deferred_.empty(); }
  // How many such completions there is room for.
  size_t Room() const { return deferred_.empty() ? capacity_ - count_ : 0; }
  bool IsEmpty() const { return count_ == 0 && deferred_.empty(); }

  void Push(const CompletionRecord& record) {
    if (HasRoom()) {
      records_[count_++] = record;
    } else {
      deferred_.push_back(record);
    }
  }

  void Clear() { deferred_.clear(); }

 private:
  CompletionRecord* records_ = nullptr;
  size_t capacity_ = 0;
  size_t count_ = 0;
  std::deque<CompletionRecord> deferred_;
};

}  // namespace sideport
