{
  "targets": [
    {
      "target_name": "sideport",
      "sources": [
        "native/binding/addon.cc",
        "native/binding/descriptor.cc",
        "native/binding/doorbell.cc",
        "native/binding/election.cc",
        "native/binding/port_binding.cc",
        "native/binding/process_state.cc",
        "native/binding/datagram_binding.cc",
        "native/binding/socket_binding.cc",
        "native/binding/named_pipe_binding.cc",
        "native/binding/unix_socket_binding.cc",
        "native/binding/thread_link.cc",
        "native/port/buffer_groups.cc",
        "native/port/port_base.cc",
        "native/port/port_base_arguments.cc",
        "native/datagram.cc",
        "native/kernel_address.cc",
        "native/multicast.cc"
      ],
      "conditions": [
        [
          "OS=='win'",
          {
            "sources": [
              "native/windows/windows_awakener.cc",
              "native/windows/windows_backends.cc",
              "native/windows/windows_datagram.cc",
              "native/windows/windows_descriptor_count.cc",
              "native/windows/windows_errors.cc",
              "native/windows/windows_iocp.cc",
              "native/windows/windows_iocp_accepting.cc",
              "native/windows/windows_iocp_datagrams.cc",
              "native/windows/windows_iocp_ending.cc",
              "native/windows/windows_iocp_handles.cc",
              "native/windows/windows_iocp_operations.cc",
              "native/windows/windows_named_pipe.cc",
              "native/windows/windows_pages.cc",
              "native/windows/windows_shared_object.cc",
              "native/windows/windows_socket.cc",
              "native/windows/windows_socket_options.cc",
              "native/windows/windows_unsupported.cc",
              "native/windows/windows_winsock.cc"
            ],
            "libraries": ["-lws2_32.lib", "-lmswsock.lib"],
            "defines": ["_WIN32_WINNT=0x0A00", "WIN32_LEAN_AND_MEAN", "NOMINMAX", "_HAS_EXCEPTIONS=1"],
            "msvs_settings": {
              "VCCLCompilerTool": {
                "ExceptionHandling": 1,
                "AdditionalOptions": ["/std:c++17", "/utf-8", "/W4"]
              }
            }
          },
          {
            "sources": [
              "native/posix/descriptor_awakener.cc",
              "native/posix/posix_backends.cc",
              "native/posix/posix_datagram.cc",
              "native/posix/posix_descriptor_count.cc",
              "native/posix/posix_errors.cc",
              "native/posix/posix_foreign.cc",
              "native/posix/posix_pages.cc",
              "native/posix/posix_shared_object.cc",
              "native/posix/posix_socket.cc",
              "native/posix/posix_socket_options.cc",
              "native/posix/posix_unix_address.cc",
              "native/posix/posix_unix_socket.cc",
              "native/readiness/posix_poll.cc",
              "native/readiness/readiness_datagrams.cc",
              "native/readiness/readiness_operations.cc",
              "native/readiness/readiness_port.cc"
            ]
          }
        ],
        [
          "OS=='linux'",
          {
            "sources": [
              "native/readiness/linux_epoll.cc",
              "native/uring/linux_uring.cc",
              "native/uring/linux_uring_buffers.cc",
              "native/uring/linux_uring_datagrams.cc",
              "native/uring/linux_uring_ending.cc",
              "native/uring/linux_uring_operations.cc",
              "native/uring/linux_uring_probe.cc",
              "native/uring/linux_uring_queue.cc",
              "native/uring/linux_uring_receiving.cc"
            ]
          }
        ]
      ],
      "include_dirs": ["native", "<!@(node -p \"require('node-addon-api').include_dir\")"],
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
