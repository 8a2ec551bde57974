/** Socket options by number. Twin of `SocketOption` in `native/socket_options.h`, which says what each means. */
export const SocketOption = {
  RECEIVE_BUFFER_SIZE: 1,
  SEND_BUFFER_SIZE: 2,
  BROADCAST: 3,
  KEEP_ALIVE_SECONDS: 4,
  LINGER_SECONDS: 5,
  MULTICAST_LOOP_V4: 6,
  MULTICAST_LOOP_V6: 7,
  MULTICAST_TTL_V4: 8,
  MULTICAST_HOPS_V6: 9,
  REUSE_ADDRESS: 10,
  ONLY_V6: 32,
  TYPE: 33,
  FAMILY: 34,
  IS_LISTENING: 35,
  DROPS: 36,
} as const;
