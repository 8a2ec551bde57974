#include "backends.h"
#include "windows/windows_iocp.h"

namespace sideport {

OpenedPort OpenBackend(const std::string& name) {
  if (!name.empty() && name != "iocp") return {};
  auto awakener = std::make_shared<PortAwakener>();
  return {std::make_unique<IocpPort>(awakener), awakener, {}};
}

}  // namespace sideport
