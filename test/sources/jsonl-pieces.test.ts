import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rowsOf } from '../../src/contracts/batch.ts'
import type { RowIssue, ShardSpec } from '../../src/contracts/data.ts'
import { jsonl } from '../../src/sources/jsonl.ts'
import { pieceBytes, piecesOf } from '../../src/sources/jsonl-pieces.ts'
import { folder } from './make.ts'

const { put } = folder()
let files = 0

async function read(path: string, piece: object | null) {
  const roles = { columns: { text: 'text' }, dims: {}, classes: null, image: null }
  const shard = { id: 'f', format: 'jsonl', path, bytes: 0, expectedRows: null, options: { roles, ...(piece ? { piece } : {}) } }
  const issues: RowIssue[] = []
  const rows: [number, string][] = []
  for await (const batch of jsonl.read(shard as unknown as ShardSpec, (issue) => issues.push(issue))) {
    const texts = batch.getChild('text' as never)
    rowsOf(batch).forEach((row, i) => {
      rows.push([row, texts?.get(i) as unknown as string])
    })
  }
  return { rows, issues }
}

const line = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }).map((text) => Buffer.from(JSON.stringify({ text }))),
  fc.constantFrom('', ' ', '\r', '\u00a0', '\ufeff', '{"text":', '[1]', '\u3000\t').map((text) => Buffer.from(text)),
  fc.constantFrom([0xff], [0xc2], [0x85]).map((bytes) => Buffer.from(bytes)),
)

describe('pieces of a JSONL file', () => {
  it('give the rows, numbers and issues of the whole file, wherever it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 120 }),
        fc.boolean(),
        async (lines, length, ends) => {
          const content = Buffer.concat(lines.flatMap((l, i) => (i + 1 < lines.length || ends ? [l, Buffer.from('\n')] : [l])))
          const path = put(`p${files++}.jsonl`, content)
          const whole = await read(path, null)
          const pieces = await piecesOf(path, content.length, length)
          const parts = await Promise.all(pieces.map((piece) => read(path, piece)))
          expect(parts.flatMap((p) => p.rows)).toEqual(whole.rows)
          // What is missing is told when a batch is full.
          const sorted = (issues: RowIssue[]) => issues.sort((a, b) => a.row - b.row)
          expect(sorted(parts.flatMap((p) => p.issues))).toEqual(sorted(whole.issues))
          expect(pieces.at(-1)?.to).toBe(content.length)
          pieces.forEach((piece, i) => {
            expect(piece.first).toBe(pieces.slice(0, i).reduce((sum, p) => sum + p.rows, 0))
          })
        },
      ),
      { numRuns: 60 },
    )
  })

  it('are long enough to be worth a thread, and as many as 16 where the file is large', () => {
    const mebibyte = 2 ** 20
    expect([1, 100, 1000, 10_000].map((size) => pieceBytes(size * mebibyte) / mebibyte)).toEqual([16, 16, 62.5, 64])
  })
})
