/** What is measured: every way in which a process ends, with and without sideport in it. */

/** `plain`: the same child with node:net's sockets and idle workers, sideport not even loaded. */
export const LIBRARIES = ['sideport', 'plain'] as const;
export type Library = (typeof LIBRARIES)[number];

/** `idle`: an I/O thread and nothing for it to do. `sockets`: a listener and 20 connections, both ends, open. */
export const SITUATIONS = ['idle', 'sockets'] as const;
export type Situation = (typeof SITUATIONS)[number];

/** The middle one of `terminate nested` started the I/O thread and a worker that is a client of it. */
export const PATHS = [
  'natural end',
  'process.exit()',
  'uncaught exception',
  'SIGTERM',
  'terminate client',
  'terminate starter',
  'terminate nested',
] as const;
export type Path = (typeof PATHS)[number];

export interface ExitCase {
  readonly label: string;
  readonly library: Library;
  readonly situation: Situation;
  readonly path: Path;
}

export function casesOf(paths: readonly Path[], situations: readonly Situation[]): ExitCase[] {
  return paths.flatMap((path) =>
    situations.flatMap((situation) =>
      LIBRARIES.map((library) => ({ label: `${path} (${situation}, ${library})`, library, situation, path })),
    ),
  );
}
