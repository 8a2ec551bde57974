// What is process-wide, because it is what threads find each other by: the live ports and the
// doorbells of their clients (the election is in election.h). All else belongs to one environment.
//
// Ids count up from 1 and are never used again, so a stale one finds nothing instead of somebody
// else.
//
// Lock order: the election's, then the ports'. A PortRecord's is never held while another is taken.
// The doorbells' is held while one is rung, which takes no lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <unordered_map>
#include <vector>

#include "binding/doorbell.h"
#include "port/awakener.h"

namespace sideport {

// A port as other threads know it. It outlives the port for as long as anybody holds it, but the
// awakener's descriptors do not: links to ports long gone would pile them up.
class PortRecord {
 public:
  PortRecord(uint32_t id, std::shared_ptr<Awakener> awakener)
      : id(id), awakener_(std::move(awakener)) {}

  bool IsAlive() const { return alive_.load(); }

  // Any thread. Without effect after the port's end: the mutex keeps the descriptor open for the
  // write, so it never goes to a number used again.
  void Wake(int32_t reasons);

  // False when the port takes no new clients or has died: nobody would tell the client of it.
  bool Link(uint32_t client_id);
  // Every Link from now on fails.
  void Withdraw();
  // The client's thread has ended or left; the port hears of it at its next control wake.
  void ClientDied(uint32_t client_id);
  std::vector<uint32_t> TakeDeadClients();

  // The port's end, in two steps with the closing of its descriptors between them: from MarkDead on
  // clients see it dead, and Link fails; RingAll tells those that were linked.
  void MarkDead();
  void RingAll();

  const uint32_t id;

 private:
  std::atomic<bool> alive_{true};
  std::mutex mutex_;
  bool withdrawn_ = false;
  std::shared_ptr<Awakener> awakener_;  // nullptr: dead
  std::set<uint32_t> clients_;
  std::vector<uint32_t> dead_clients_;
};

class ProcessState {
 public:
  // Made at first use and never destroyed: threads may outlive static destructors.
  static ProcessState& Get();

  std::shared_ptr<PortRecord> AddPort(std::shared_ptr<Awakener> awakener);
  std::shared_ptr<PortRecord> FindPort(uint32_t id);
  void RemovePort(uint32_t id);

  uint32_t NewClientId() { return next_client_id_++; }

  // From Add to Remove anybody may ring. A ring is made under the mutex, so when Remove returns
  // none is under way and none will come: the doorbell may be closed.
  void AddDoorbell(uint32_t client_id, Doorbell* doorbell);
  void RemoveDoorbell(uint32_t client_id);
  bool Ring(uint32_t client_id);

 private:
  ProcessState() = default;

  std::mutex ports_mutex_;
  std::unordered_map<uint32_t, std::shared_ptr<PortRecord>> ports_;
  uint32_t next_port_id_ = 1;

  std::mutex doorbells_mutex_;
  std::unordered_map<uint32_t, Doorbell*> doorbells_;
  std::atomic<uint32_t> next_client_id_{1};
};

}  // namespace sideport
