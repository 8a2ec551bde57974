// The election of the process's default I/O thread, one per protocol version. Process-wide.
//
//          Claim: won                    Resolve
//   idle ─────────────► starting ───────────────────────► ready (port id)
//    ▲                     │ Abandon, or the claimant's      │
//    │                     │ environment ends                │ the port dies
//    └─────────────────────┴─────────────────────────────────┘
//
// Every return to idle and every Resolve wakes those who wait.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>

namespace sideport {

class Election {
 public:
  // Made at first use and never destroyed: threads may outlive static destructors.
  static Election& Get();

  static constexpr int64_t kWon = 0;
  static constexpr int64_t kPending = -1;

  // kWon, kPending, or the id of the port that is ready. `claimant` names an environment. One that
  // claims again while it is starting has won again: it was interrupted and never resolved.
  int64_t Claim(uint32_t version, const void* claimant);
  // Both without effect unless `claimant` is starting one.
  void Resolve(uint32_t version, const void* claimant, uint32_t port_id);
  void Abandon(uint32_t version, const void* claimant);
  // Blocks until the election is no longer pending, at most timeout_ms and one slice.
  void Wait(uint32_t version, int32_t timeout_ms);

  void ClaimantEnds(const void* claimant);
  void PortDies(uint32_t port_id);

 private:
  struct State {
    const void* claimant = nullptr;  // starting
    uint32_t port_id = 0;            // ready
  };

  Election() = default;

  std::mutex mutex_;
  std::condition_variable decided_;
  std::map<uint32_t, State> states_;  // by version
};

}  // namespace sideport
