import { readFileSync } from 'node:fs'
import { unzipSync } from 'fflate'

/** Arrays of bytes by name. */
export type Arrays = Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Uint8Array }>>

const headerStart = 10

/** Members of an .npz file that are version 1 arrays of uint8. @throws Error for others */
export function arraysOf(file: string): Arrays {
  const members = unzipSync(readFileSync(file))
  return Object.fromEntries(
    Object.entries(members).map(([name, bytes]) => {
      const body = headerStart + new DataView(bytes.buffer, bytes.byteOffset).getUint16(8, true)
      const header = Buffer.from(bytes.subarray(headerStart, body)).toString('latin1')
      const shape = /'descr': '\|u1', 'fortran_order': False, 'shape': \(([^)]*)\)/.exec(header)?.[1]
      if (shape === undefined) throw new Error(`${file}: ${name}: unexpected header ${header}`)
      const sizes = shape.split(',').flatMap((n) => (n.trim() === '' ? [] : [Number(n)]))
      return [name.replace(/\.npy$/, ''), { shape: sizes, data: bytes.subarray(body) }]
    }),
  )
}

/** A version 1 .npy file. */
export function arrayBytes({ shape, data }: Arrays[string]): Uint8Array {
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`
  const length = Math.ceil((headerStart + text.length + 1) / 64) * 64 - headerStart
  const head = Buffer.alloc(headerStart + length, ' ')
  head.write('\x93NUMPY\x01\x00', 'latin1')
  head.writeUInt16LE(length, 8)
  head.write(`${text.padEnd(length - 1)}\n`, headerStart, 'latin1')
  return Buffer.concat([head, data])
}
