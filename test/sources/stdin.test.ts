import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow'
import { describe, expect, test } from 'vitest'
import { SourceError } from '../../src/sources/errors.ts'
import { spoolStdin } from '../../src/sources/stdin.ts'
import { folder, load, npyBytes } from './make.ts'

const { dir } = folder()
let runs = 0

const spool = (...pieces: (string | Uint8Array)[]): Promise<string> =>
  spoolStdin(Readable.from(pieces.map((p) => Buffer.from(p as Uint8Array))), join(dir, `run${runs++}`))

describe('standard input', () => {
  const arrow = tableToIPC(new Table({ id: vectorFromArray(['a', 'b'], new Utf8()) }), 'stream')
  test.each<[string, (string | Uint8Array)[], string]>([
    ['CSV', ['id,la', 'bel\na,x\nb', ',y\n'], 'stdin.csv'],
    ['CSV as gzip', [gzipSync('id,label\na,x\nb,y\n')], 'stdin.csv'],
    ['JSONL', ['{"id": "a"}\n', '{"id": "b"}\n'], 'stdin.jsonl'],
    ['an Arrow stream', [arrow.subarray(0, 50), arrow.subarray(50)], 'stdin.arrow'],
  ])('%s is kept once and read like a file', async (_, pieces, name) => {
    const path = await spool(...pieces)
    expect(path.endsWith(name)).toBe(true)
    const { rows } = await load({ path, columns: { id: 'id' } }, dir)
    expect(rows.map((r) => r.id)).toEqual(['a', 'b'])
  })

  test('the bytes are those that came', async () => {
    expect(readFileSync(await spool('id,label\n', 'a,x')).toString()).toBe('id,label\na,x')
  })

  test.each<[string, Uint8Array, string, number]>([
    ['nothing', Buffer.alloc(0), 'empty', 4],
    ['an array', npyBytes('<f8', [1], Float64Array.of(1)), 'unsupported', 2],
    ['noise', Buffer.from([1, 2, 3, 0, 255]), 'unknown-format', 2],
  ])('%s is refused and leaves no file', async (_, bytes, code, exit) => {
    const at = join(dir, `run${runs}`)
    const error = await spool(bytes).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(SourceError)
    expect([(error as SourceError).code, (error as SourceError).exit]).toEqual([code, exit])
    expect(existsSync(join(at, 'stdin.part'))).toBe(false)
  })
})
