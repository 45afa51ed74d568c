import { crc32, deflateRawSync } from 'node:zlib'
import { bytesOf, u32 } from './assemble.ts'

const u16 = (n: number): Buffer => Buffer.from([n & 0xff, (n >> 8) & 0xff])

export interface ZipEntry {
  readonly name: string
  readonly content: Buffer
  readonly deflate?: boolean
  readonly flags?: number
  /** What the local header says instead. */
  readonly local?: { readonly name?: string; readonly flags?: number; readonly method?: number; readonly size?: number }
  readonly crc?: number
  readonly method?: number
  /** Not in the central directory. */
  readonly hidden?: boolean
}

/** A zip archive whose headers may say what is not so. */
export function zipOf(
  entries: readonly ZipEntry[],
  extra: { readonly prefix?: Buffer; readonly suffix?: Buffer; readonly count?: number } = {},
): Buffer {
  const prefix = extra.prefix ?? Buffer.alloc(0)
  let body = Buffer.alloc(0)
  let directory = Buffer.alloc(0)
  let count = 0
  for (const e of entries) {
    const data = e.deflate ? deflateRawSync(e.content) : e.content
    const method = e.method ?? (e.deflate ? 8 : 0)
    const crc = e.crc ?? crc32(e.content)
    const common = (flags: number, m: number, size: number): Buffer =>
      bytesOf(u16(flags), u16(m), u32(0), u32(crc), u32(size), u32(e.content.length))
    const localName = Buffer.from(e.local?.name ?? e.name)
    const at = body.length
    const local = common(e.local?.flags ?? e.flags ?? 0, e.local?.method ?? method, e.local?.size ?? data.length)
    body = Buffer.concat([body, bytesOf('PK', 3, 4, u16(20), local, u16(localName.length), u16(0), localName, data)])
    if (e.hidden) continue
    count++
    const name = Buffer.from(e.name)
    directory = Buffer.concat([
      directory,
      bytesOf(
        'PK',
        1,
        2,
        u16(20),
        u16(20),
        common(e.flags ?? 0, method, data.length),
        u16(name.length),
        u16(0),
        u16(0),
        u16(0),
        u16(0),
        u32(0),
        u32(at),
        name,
      ),
    ])
  }
  const end = bytesOf(
    'PK',
    5,
    6,
    u32(0),
    u16(extra.count ?? count),
    u16(extra.count ?? count),
    u32(directory.length),
    u32(body.length),
    u16(0),
  )
  return Buffer.concat([prefix, body, directory, end, extra.suffix ?? Buffer.alloc(0)])
}

/** A tar archive. */
export function tarOf(
  entries: readonly { readonly name: string; readonly content?: Buffer; readonly type?: string; readonly link?: string }[],
): Buffer {
  const parts = entries.flatMap(({ name, content = Buffer.alloc(0), type = '0', link = '' }) => {
    const header = Buffer.alloc(512)
    header.write(name, 0)
    header.write('0000644\0', 100)
    header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
    header.write('        ', 148)
    header.write(type, 156)
    header.write(link, 157)
    header.write('ustar\x0000', 257)
    header.write(
      `${[...header]
        .reduce((sum, b) => sum + b, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    )
    return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]
  })
  return Buffer.concat([...parts, Buffer.alloc(1_024)])
}
