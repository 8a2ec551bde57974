// A program whose sections begin at pages of its file. Wine maps such a section; any other it reads into memory, which
// for node.exe is 70 MB at each start and takes longer than all the rest of it.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

const PAGE = 4096;

// Offsets of Microsoft's "PE Format", for 64 bits.
const PE_HEADER_AT = 0x3c;
const COFF_HEADER_BYTES = 24;
const SECTIONS = 6;
const OPTIONAL_HEADER_BYTES = 20;
const HEADERS_BYTES = 60;
/** Its place is an offset in the file, and a signature of the file as it was. */
const CERTIFICATES = 112 + 8 * 4;
const SECTION_BYTES = 40;
const RAW_BYTES = 16;
const RAW_AT = 20;

/** Writes `from` to `to`: the same bytes in memory, at other places in the file, and unsigned. */
export function alignToPages(from, to) {
  const image = readFileSync(from);
  const header = image.readUInt32LE(PE_HEADER_AT);
  const optional = header + COFF_HEADER_BYTES;
  const headers = Buffer.from(image.subarray(0, image.readUInt32LE(optional + HEADERS_BYTES)));
  headers.writeBigUInt64LE(0n, optional + CERTIFICATES);
  const table = optional + image.readUInt16LE(header + OPTIONAL_HEADER_BYTES);
  const parts = [headers];
  let end = headers.length;
  for (let number = 0; number < image.readUInt16LE(header + SECTIONS); number++) {
    const section = table + number * SECTION_BYTES;
    const [length, offset] = [image.readUInt32LE(section + RAW_BYTES), image.readUInt32LE(section + RAW_AT)];
    if (length === 0) continue;
    const start = Math.ceil(end / PAGE) * PAGE;
    parts.push(Buffer.alloc(start - end), image.subarray(offset, offset + length));
    headers.writeUInt32LE(start, section + RAW_AT);
    end = start + length;
  }
  // In one go: a file that is there is whole.
  writeFileSync(`${to}.part`, Buffer.concat(parts));
  renameSync(`${to}.part`, to);
}
