/** Shows the phases while they run: a table that is redrawn on a terminal, plain lines elsewhere. */
import type { WriteStream } from 'node:tty';
import { type Phase, progress } from './results.js';
import { kinds, plainLine, TABLE_COLUMNS, table } from './table.js';

const REDRAW_INTERVAL_MS = 250;
const LINES_INTERVAL_MS = 1000;

/** Starts showing; the returned function shows the end state and stops. */
export function show(phases: readonly Phase[], out: WriteStream = process.stdout): () => void {
  return out.isTTY && out.columns > TABLE_COLUMNS ? redraw(phases, out) : printLines(phases, out);
}

function redraw(phases: readonly Phase[], out: WriteStream): () => void {
  let drawn = 0;
  const draw = () => {
    const lines = table(phases);
    // Up to where the table began; each line cleared to its end.
    out.write(`${drawn > 0 ? `\x1b[${drawn}A` : ''}${lines.map((line) => `${line}\x1b[K\n`).join('')}`);
    drawn = lines.length;
  };
  draw();
  const timer = setInterval(draw, REDRAW_INTERVAL_MS);
  return () => {
    clearInterval(timer);
    draw();
  };
}

function printLines(phases: readonly Phase[], out: WriteStream): () => void {
  const timer = setInterval(() => {
    const phase = phases.find((phase) => progress(phase) > 0 && !phase.ended);
    if (phase)
      out.write(
        kinds(phase)
          .map((kind) => `${plainLine(phase, kind)}\n`)
          .join(''),
      );
  }, LINES_INTERVAL_MS);
  return () => {
    clearInterval(timer);
    out.write(`\n${table(phases).join('\n')}\n`);
  };
}
