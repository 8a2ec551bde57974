#include "binding/shared_object.h"
#include "windows/windows_api.h"

namespace sideport {

void PinSharedObject() {
  // Its address lies in this module.
  static const char anchor = 0;
  static const bool pinned = [] {
    HMODULE self = nullptr;
    return GetModuleHandleExW(
               GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
               reinterpret_cast<LPCWSTR>(&anchor), &self) != 0;
  }();
  static_cast<void>(pinned);
}

}  // namespace sideport
