#include "binding/process_state.h"

#include <utility>

#include "completion_port.h"

namespace sideport {

void PortRecord::Wake(int32_t reasons) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (awakener_) awakener_->Wake(reasons);
}

bool PortRecord::Link(uint32_t client_id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!alive_ || withdrawn_) return false;
  clients_.insert(client_id);
  return true;
}

void PortRecord::Withdraw() {
  const std::lock_guard<std::mutex> lock(mutex_);
  withdrawn_ = true;
}

void PortRecord::ClientDied(uint32_t client_id) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (clients_.erase(client_id) == 0) return;
    dead_clients_.push_back(client_id);
  }
  Wake(kWakeControl);
}

std::vector<uint32_t> PortRecord::TakeDeadClients() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(dead_clients_, {});
}

// Under the mutex of Link: a client is either in the list that RingAll takes or was refused.
void PortRecord::MarkDead() {
  const std::lock_guard<std::mutex> lock(mutex_);
  alive_ = false;
  awakener_.reset();
}

void PortRecord::RingAll() {
  std::set<uint32_t> clients;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    clients = clients_;
  }
  for (uint32_t client_id : clients) ProcessState::Get().Ring(client_id);
}

ProcessState& ProcessState::Get() {
  static auto* const state = new ProcessState();
  return *state;
}

std::shared_ptr<PortRecord> ProcessState::AddPort(std::shared_ptr<Awakener> awakener) {
  const std::lock_guard<std::mutex> lock(ports_mutex_);
  auto port = std::make_shared<PortRecord>(next_port_id_++, std::move(awakener));
  ports_[port->id] = port;
  return port;
}

std::shared_ptr<PortRecord> ProcessState::FindPort(uint32_t id) {
  const std::lock_guard<std::mutex> lock(ports_mutex_);
  const auto found = ports_.find(id);
  return found == ports_.end() ? nullptr : found->second;
}

void ProcessState::RemovePort(uint32_t id) {
  const std::lock_guard<std::mutex> lock(ports_mutex_);
  ports_.erase(id);
}

void ProcessState::AddDoorbell(uint32_t client_id, Doorbell* doorbell) {
  const std::lock_guard<std::mutex> lock(doorbells_mutex_);
  doorbells_[client_id] = doorbell;
}

void ProcessState::RemoveDoorbell(uint32_t client_id) {
  const std::lock_guard<std::mutex> lock(doorbells_mutex_);
  doorbells_.erase(client_id);
}

bool ProcessState::Ring(uint32_t client_id) {
  const std::lock_guard<std::mutex> lock(doorbells_mutex_);
  const auto found = doorbells_.find(client_id);
  if (found == doorbells_.end()) return false;
  found->second->Ring();
  return true;
}

}  // namespace sideport
