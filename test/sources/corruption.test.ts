import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Dictionary, Field, FixedSizeList, Float32, Int32, Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow'
import { beforeAll, describe, expect, test } from 'vitest'
import { SourceError } from '../../src/sources/errors.ts'
import { duckdb, folder, load, npyBytes, type Row, tarBytes, zipBytes } from './make.ts'

const { dir } = folder()
const count = 400

/** Formats whose every change of content is found, and those where every cut is. */
const checksummed = new Set(['a.csv.gz', 'a.jsonl.gz', 'a.wet.gz', 'deflated.npz', 'stored.npz'])
const framed = new Set([...checksummed, 'a.npy', 'file.arrow', 'a.parquet'])

const originals = new Map<string, { readonly bytes: Buffer; readonly rows: readonly Row[] }>()

const write = (name: string, bytes: Uint8Array): string => {
  const path = join(dir, name)
  writeFileSync(path, bytes)
  return path
}

beforeAll(async () => {
  const rows = Array.from({ length: count }, (_, i) => ({
    id: `r${i}`,
    label: ['cat', 'dog', 'bird'][i % 3] as string,
    text: `patient "${i}",\nnotes ${i * 7919}`,
    a: i / 7,
    vec: [i / 2, i / 4, i],
  }))
  const csv = `id,label,text,a\n${rows.map((r) => `${r.id},${r.label},"${r.text.replaceAll('"', '""')}",${r.a}`).join('\n')}\n`
  const jsonl = `${rows.map((r) => JSON.stringify(r)).join('\n')}\n`
  const table = new Table({
    id: vectorFromArray(
      rows.map((r) => r.id),
      new Utf8(),
    ),
    label: vectorFromArray(
      rows.map((r) => r.label),
      new Dictionary(new Utf8(), new Int32()),
    ),
    vec: vectorFromArray(
      rows.map((r) => r.vec),
      new FixedSizeList(3, new Field('item', new Float32(), true)),
    ),
  })
  const x = npyBytes('<f8', [count, 3], Float64Array.from(rows.flatMap((r) => r.vec)))
  const y = npyBytes(
    '<i8',
    [count],
    BigInt64Array.from(rows, (_, i) => BigInt(i % 3)),
  )
  const parquet = join(dir, 'a.parquet')
  await duckdb([
    `COPY (SELECT 'r' || range AS id, ['cat', 'dog', 'bird'][1 + range % 3] AS label, 'text ' || hash(range) AS text,
      [range, range / 2, 1]::FLOAT[] AS vec, {'n': range} AS meta FROM range(${count})) TO '${parquet}' (FORMAT parquet)`,
  ])
  const wet = rows.map((r) =>
    Buffer.from(
      `WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Record-ID: ${r.id}\r\nContent-Length: ${Buffer.byteLength(r.text)}\r\n\r\n${r.text}\r\n\r\n`,
    ),
  )
  const files: Record<string, Uint8Array> = {
    'a.csv': Buffer.from(csv),
    'a.csv.gz': gzipSync(csv),
    'a.jsonl': Buffer.from(jsonl),
    'a.jsonl.gz': gzipSync(jsonl),
    'file.arrow': tableToIPC(table, 'file'),
    'stream.arrow': tableToIPC(table, 'stream'),
    'a.npy': x,
    'deflated.npz': zipBytes({ 'x.npy': x, 'y.npy': y }),
    'stored.npz': zipBytes({ 'x.npy': x, 'y.npy': y }, 'stored'),
    'a.parquet': readFileSync(parquet),
    'a.wet': Buffer.concat(wet),
    'a.wet.gz': Buffer.concat(wet.map((r) => gzipSync(r))),
    'a.tar': await tarBytes(rows.map((r) => [`${r.id}.txt`, r.text])),
  }
  for (const [name, bytes] of Object.entries(files)) {
    const { rows: good, issues, errors } = await load({ path: write(name, bytes) }, dir)
    expect([name, good.length, issues, errors]).toEqual([name, count, [], []])
    originals.set(name, { bytes: Buffer.from(bytes), rows: good })
  }
})

/** A small generator, so that every run damages the same bits. */
const random = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

type Damage = 'cut' | 'flip anywhere' | 'flip at the start' | 'flip at the end' | 'zeros'

function damaged(bytes: Buffer, damage: Damage, next: () => number): Buffer {
  const copy = Buffer.from(bytes)
  if (damage === 'cut') return copy.subarray(0, Math.floor(next() * copy.length))
  const reach = Math.min(800, copy.length)
  const at = (): number => {
    if (damage === 'flip at the start') return Math.floor(next() * reach)
    if (damage === 'flip at the end') return copy.length - 1 - Math.floor(next() * reach)
    return Math.floor(next() * copy.length)
  }
  if (damage === 'zeros') {
    const from = at()
    return copy.fill(0, from, from + 16)
  }
  for (let n = 1 + Math.floor(next() * 3); n > 0; n--) {
    const i = at()
    copy[i] = (copy[i] as number) ^ (1 << Math.floor(next() * 8))
  }
  return copy
}

const names = [
  'a.csv',
  'a.csv.gz',
  'a.jsonl',
  'a.jsonl.gz',
  'file.arrow',
  'stream.arrow',
  'a.npy',
  'deflated.npz',
  'stored.npz',
  'a.parquet',
  'a.wet',
  'a.wet.gz',
  'a.tar',
]
const damages: Damage[] = ['cut', 'flip anywhere', 'flip at the start', 'flip at the end', 'zeros']

describe('260 damaged inputs: a SourceError, counted rows, or another valid file; never anything else', () => {
  test.each(names.flatMap((name, i) => damages.map((damage, j) => [name, damage, 1 + i * 10 + j] as const)))(
    '%s, %s',
    async (name, damage, seed) => {
      const next = random(seed)
      const original = originals.get(name) as { bytes: Buffer; rows: readonly Row[] }
      for (let k = 0; k < 4; k++) {
        const bytes = damaged(original.bytes, damage, next)
        if (bytes.equals(original.bytes)) continue
        const path = write(`damaged-${name}`, bytes)
        let found: SourceError[] = []
        let rows: Row[] = []
        let issues = 0
        try {
          const result = await load({ path }, dir)
          found = result.errors
          rows = result.rows
          issues = result.issues.length
        } catch (e) {
          // anything but a SourceError fails the test
          expect(e).toBeInstanceOf(SourceError)
          found = [e as SourceError]
        }
        for (const e of found) {
          expect([2, 4]).toContain(e.exit)
          expect(e.place.file).toBe(`damaged-${name}`)
          expect(e.message).not.toContain(dir)
          expect(e.message).not.toMatch(/\n|undefined|\bat .*:\d+:\d+/)
        }
        const noticed = found.length > 0 || issues > 0
        if (damage === 'cut' && framed.has(name)) expect(noticed).toBe(true)
        if (!noticed && checksummed.has(name)) expect(rows).toEqual(original.rows)
      }
    },
    20_000,
  )
})
