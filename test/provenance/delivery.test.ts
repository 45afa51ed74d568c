import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openDelivery, readBounded, readHead } from '../../src/provenance/delivery.ts'
import { ProvenanceError } from '../../src/provenance/errors.ts'
import { fileAt } from '../../src/provenance/manifests/lookup.ts'
import { folderOf } from './folders.ts'

const paths = (files: readonly { readonly path: string }[]): string[] => files.map((f) => f.path)

describe('openDelivery', () => {
  it('lists every file by path with its size', async () => {
    const root = folderOf({ 'b.csv': 'bb', 'a/z.bin': 'z', 'a.txt': '', 'A.md': 'x', '.hidden/f': 'y' })
    const delivery = await openDelivery(root)
    expect(delivery.files).toEqual([
      { path: '.hidden/f', bytes: 1 },
      { path: 'A.md', bytes: 1 },
      { path: 'a.txt', bytes: 0 },
      { path: 'a/z.bin', bytes: 1 },
      { path: 'b.csv', bytes: 2 },
    ])
    expect(delivery.problems).toEqual([])
    expect(fileAt(delivery, 'a/z.bin')).toEqual({ path: 'a/z.bin', bytes: 1 })
    expect(fileAt(delivery, 'a/z')).toBeNull()
  })

  it('takes one file as a delivery', async () => {
    const root = folderOf({ 'a.txt': 'a', 'b.txt': 'b' })
    const delivery = await openDelivery(join(root, 'a.txt'))
    expect(delivery.root).toBe(root)
    expect(paths(delivery.files)).toEqual(['a.txt'])
  })

  it('follows links that stay inside and refuses those that leave', async () => {
    const elsewhere = folderOf({ 'secret.txt': 'secret' })
    const root = folderOf({ 'blobs/1': 'one', 'data/x.csv': 'x' })
    symlinkSync('blobs/1', join(root, 'one.bin'))
    symlinkSync('data', join(root, 'linked'))
    symlinkSync(join(elsewhere, 'secret.txt'), join(root, 'out.txt'))
    symlinkSync(elsewhere, join(root, 'out'))
    symlinkSync('nowhere', join(root, 'broken'))
    const delivery = await openDelivery(root)
    expect(paths(delivery.files)).toEqual(['blobs/1', 'data/x.csv', 'linked/x.csv', 'one.bin'])
    expect(delivery.problems.map((p) => [p.code, p.place.file, p.invalid])).toEqual([
      ['unreadable', 'broken', true],
      ['hostile-path', 'out', true],
      ['hostile-path', 'out.txt', true],
    ])
    expect(delivery.problems[2]?.message).toBe('out.txt is a symbolic link that leaves the delivery: it was not followed.')
  })

  it('ends on links that lead in circles and on link bombs', async () => {
    const root = folderOf({ 'a/f': '1' })
    symlinkSync('..', join(root, 'a/up'))
    symlinkSync('self', join(root, 'self'))
    for (let i = 0; i < 30; i++) {
      mkdirSync(join(root, `bomb${i}`))
      for (const side of ['left', 'right']) symlinkSync(`../bomb${i + 1}`, join(root, `bomb${i}`, side))
    }
    mkdirSync(join(root, 'bomb30'))
    writeFileSync(join(root, 'bomb30/payload'), '1')
    const delivery = await openDelivery(root)
    expect(delivery.files.length).toBeLessThan(40)
    expect(paths(delivery.problems.map((p) => ({ path: p.place.file ?? '' })))).toContain('a/up')
    expect(delivery.problems.length).toBeGreaterThan(30)
  })

  it('tells of names that collide, of names that deceive and of special files', async () => {
    const root = folderOf({ 'Data.csv': '1', 'data.csv': '2', 'é.txt': '3', 'e\u0301.txt': '4', 'a\\b': '5', 'x\u202e.txt': '6' })
    mkdirSync(join(root, 'Train'))
    mkdirSync(join(root, 'train'))
    execFileSync('mkfifo', [join(root, 'pipe')])
    const { files, problems } = await openDelivery(root)
    expect(files).toHaveLength(6)
    expect(problems.every((p) => p.code === 'hostile-path')).toBe(true)
    const text = problems.map((p) => p.message).join('\n')
    expect(text).toMatch(/(Data\.csv and data\.csv|data\.csv and Data\.csv) are one name/)
    expect(text).toMatch(/(Train and train|train and Train) are one name/)
    expect(text.match(/are one name/g)).toHaveLength(3)
    expect(text).toContain('it holds a backslash')
    expect(text).toContain('another order')
    expect(text).toContain('pipe is neither a file nor a folder')
  })

  it('names a file whose name is not UTF-8', async () => {
    const root = folderOf({ 'good.txt': '1' })
    writeFileSync(Buffer.concat([Buffer.from(`${root}/bad`), Buffer.from([0xff])]), 'x')
    const { files, problems } = await openDelivery(root)
    expect(paths(files)).toEqual(['good.txt'])
    expect(problems).toHaveLength(1)
    expect(problems[0]?.message).toContain('not UTF-8')
  })

  it('bounds the number of files', async () => {
    const root = folderOf(Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`f${i}`, ''])))
    await expect(openDelivery(root, { maxFiles: 11 })).rejects.toMatchObject({ code: 'too-large' })
    await expect(openDelivery(root, { maxFiles: 12 })).resolves.toMatchObject({ problems: [] })
  })

  it('counts two names of one file as two files', async () => {
    const root = folderOf({ a: 'x' })
    linkSync(join(root, 'a'), join(root, 'b'))
    expect(paths((await openDelivery(root)).files)).toEqual(['a', 'b'])
  })

  it('says what is not there', async () => {
    await expect(openDelivery('/nowhere/at/all')).rejects.toMatchObject({ code: 'not-found', exit: 4 })
  })
})

describe('reading', () => {
  it('reads a file within bounds, and nothing that is not in the delivery', async () => {
    const root = folderOf({ 'sub/a.txt': 'hello', 'b.txt': 'b' })
    const delivery = await openDelivery(join(root, 'sub'))
    expect((await readBounded(delivery, 'a.txt', 5)).toString()).toBe('hello')
    expect(readHead(delivery, 'a.txt', 4).toString()).toBe('hell')
    await expect(readBounded(delivery, 'a.txt', 4)).rejects.toMatchObject({ code: 'too-large' })
    await expect(readBounded(delivery, '../b.txt', 5)).rejects.toMatchObject({ code: 'unreadable' })
    await expect(readBounded(delivery, 'c.txt', 5)).rejects.toBeInstanceOf(ProvenanceError)
  })

  it('reads what was brought from elsewhere under its name', async () => {
    const root = folderOf({ 'a.txt': 'a' })
    const elsewhere = folderOf({ SHA256SUMS: 'sums' })
    const opened = await openDelivery(root)
    const delivery = {
      ...opened,
      files: [{ path: 'SHA256SUMS', bytes: 4 }, ...opened.files],
      outside: new Map([['SHA256SUMS', join(elsewhere, 'SHA256SUMS')]]),
    }
    expect((await readBounded(delivery, 'SHA256SUMS', 100)).toString()).toBe('sums')
  })
})
