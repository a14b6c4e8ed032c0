/** The checksum by which a frame of a FLAC file is known to be whole. */
const checksums = (() => {
  'use strict';

  const POLYNOMIAL = 0x8005; // x^16 + x^15 + x^2 + 1
  const CHECKSUMS = Uint16Array.from({ length: 256 }, (_, byte) => {
    let rest = byte << 8;
    for (let i = 0; i < 8; i++) {
      rest = (rest << 1) ^ (rest & 0x8000 ? POLYNOMIAL : 0);
    }
    return rest;
  });

  /** @param {Uint8Array} bytes @returns {number} CRC-16 */
  function crc16(bytes) {
    let rest = 0;
    for (let i = 0; i < bytes.length; i++) {
      rest = ((rest & 0xff) << 8) ^ CHECKSUMS[(rest >>> 8) ^ bytes[i]];
    }
    return rest;
  }

  return { crc16 };
})();
