#include "binding/election.h"

#include <algorithm>
#include <chrono>

#include "binding/process_state.h"
#include "completion_port.h"

namespace sideport {

Election& Election::Get() {
  static auto* const election = new Election();
  return *election;
}

int64_t Election::Claim(uint32_t version, const void* claimant) {
  const std::lock_guard<std::mutex> lock(mutex_);
  State& state = states_[version];
  if (state.port_id != 0) return state.port_id;
  if (state.claimant != nullptr && state.claimant != claimant) return kPending;
  state.claimant = claimant;
  return kWon;
}

// A port is marked dead before PortDies takes the mutex. So either the mark is seen here, or
// PortDies comes later and finds the port ready.
void Election::Resolve(uint32_t version, const void* claimant, uint32_t port_id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  State& state = states_[version];
  if (state.claimant != claimant) return;
  const auto port = ProcessState::Get().FindPort(port_id);
  state = {nullptr, port && port->IsAlive() ? port_id : 0};
  decided_.notify_all();
}

void Election::Abandon(uint32_t version, const void* claimant) {
  const std::lock_guard<std::mutex> lock(mutex_);
  State& state = states_[version];
  if (state.claimant != claimant) return;
  state = State();
  decided_.notify_all();
}

void Election::Wait(uint32_t version, int32_t timeout_ms) {
  const auto slice = std::chrono::milliseconds(std::clamp(timeout_ms, 0, kMaximumWaitMs));
  std::unique_lock<std::mutex> lock(mutex_);
  decided_.wait_for(lock, slice, [&] { return states_[version].claimant == nullptr; });
}

void Election::ClaimantEnds(const void* claimant) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto& [version, state] : states_) {
    if (state.claimant == claimant) state = State();
  }
  decided_.notify_all();
}

void Election::PortDies(uint32_t port_id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto& [version, state] : states_) {
    if (state.port_id == port_id) state = State();
  }
  decided_.notify_all();
}

}  // namespace sideport
