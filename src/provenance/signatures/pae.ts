/** DSSE's pre-authentication encoding in bytes (https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md). */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType, 'utf8')
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${payload.length} `), payload])
}

const escapes: Readonly<Record<number, string>> = { 9: '\\t', 10: '\\n', 13: '\\r', 92: '\\\\' }

/** How Python shows bytes: `b'...'`, with double quotes where only that saves an escape. */
function pythonBytes(bytes: Uint8Array): string {
  const quote = bytes.includes(39) && !bytes.includes(34) ? '"' : "'"
  let text = ''
  for (const byte of bytes) {
    const character = String.fromCharCode(byte)
    if (escapes[byte] !== undefined) text += escapes[byte]
    else if (character === quote) text += `\\${quote}`
    else text += byte >= 32 && byte < 127 ? character : `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return `b${quote}${text}${quote}`
}

/** What release 0.2 of OpenSSF's model signing signed instead: `DSSEV1`, and the payload as Python prints it. */
export const brokenPreAuthEncoding = (payloadType: string, payload: Uint8Array): Buffer =>
  Buffer.from(`DSSEV1 ${payloadType.length} ${payloadType} ${payload.length} ${pythonBytes(payload)}`, 'utf8')
