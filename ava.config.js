// Exit paths mean nothing in a worker thread, and there each file would own the process's I/O thread: so files run in
// processes. `npm test` runs the suite once more in worker threads, which shows that nothing depends on the main thread.
export default {
  files: ['dist/test/**/*.test.js'],
  workerThreads: process.env.SIDEPORT_TEST_THREADS === '1',
  // Tests of one file share its I/O thread, whose operations are counted after each; files run in parallel.
  serial: true,
  timeout: '120s',
};
