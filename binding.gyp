{
  "targets": [
    {
      "target_name": "sideport",
      "sources": [
        "native/addon.cc",
        "native/awakener.cc",
        "native/buffer_groups.cc",
        "native/descriptor.cc",
        "native/election.cc",
        "native/errors.cc",
        "native/pages.cc",
        "native/port_base.cc",
        "native/port_binding.cc",
        "native/posix_poll.cc",
        "native/process_state.cc",
        "native/readiness_operations.cc",
        "native/readiness_port.cc",
        "native/socket.cc",
        "native/socket_binding.cc",
        "native/thread_link.cc"
      ],
      "conditions": [
        [
          "OS=='linux'",
          {
            "sources": [
              "native/linux_epoll.cc",
              "native/linux_uring.cc",
              "native/linux_uring_buffers.cc",
              "native/linux_uring_operations.cc",
              "native/linux_uring_probe.cc",
              "native/linux_uring_queue.cc"
            ]
          }
        ]
      ],
      "include_dirs": ["<!@(node -p \"require('node-addon-api').include_dir\")"],
      "defines": [
        "NAPI_VERSION=8",
        "NODE_ADDON_API_DISABLE_DEPRECATED",
        "NAPI_CPP_EXCEPTIONS",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"
      ],
      "cflags!": ["-fno-exceptions"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti"],
      "cflags_cc": ["-std=c++17", "-O2", "-Wall", "-Wextra", "-Wno-unused-parameter", "-fexceptions", "-fvisibility=hidden"],
      "xcode_settings": {
        "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
        "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
        "MACOSX_DEPLOYMENT_TARGET": "11.0"
      }
    }
  ]
}
