/** Bits of an interest as they cross threads; `Interest` in the public API has the same values. */
export const INTEREST_READABLE = 1;
export const INTEREST_WRITABLE = 2;
export const INTEREST_ALL = INTEREST_READABLE | INTEREST_WRITABLE;
