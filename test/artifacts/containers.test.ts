import { deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../src/artifacts/budget.ts'
import { tarOf, type ZipEntry, zipOf } from './archives.ts'
import { bytesOf, calls, emptyDict, proto, stop, u32 } from './assemble.ts'
import { scanned } from './scanned.ts'

const evil = calls('os', 'system')
const good = bytesOf(proto(2), emptyDict, stop)
const pt = (entry: Partial<ZipEntry> = {}, extra = {}): Buffer =>
  zipOf(
    [
      { name: 'archive/data.pkl', content: evil, ...entry },
      { name: 'archive/data/0', content: Buffer.alloc(4_096, 1) },
    ],
    extra,
  )
const subjects = (file: Buffer, name = 'model.pt'): readonly string[] =>
  scanned(file, name).observations.map((o) => `${o.rule} ${o.subject}`)

describe('archives are opened by content', () => {
  it.each<[string, Buffer]>([
    ['a PyTorch archive', pt()],
    ['a compressed member', pt({ deflate: true })],
    ['an archive in an archive', zipOf([{ name: 'inner.zip', content: pt() }])],
    ['gzip', gzipSync(evil)],
    ['zlib, as joblib writes', deflateSync(evil)],
    ['the old header of joblib', bytesOf('ZF0x', evil.length.toString(16).padEnd(15, ' '), deflateSync(evil))],
    ['a tar archive', tarOf([{ name: 'pickle', content: evil }])],
    ['a compressed tar archive', gzipSync(tarOf([{ name: 'a/pickle', content: evil }]))],
    [
      'an array of objects',
      bytesOf(0x93, 'NUMPY', 1, 0, 70, 0, "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".padEnd(69), '\n', evil),
    ],
    ['a member of any name', zipOf([{ name: 'notes.txt', content: evil }])],
  ])('%s', (_, file) => {
    const { verdict, observations } = scanned(file, 'weights.bin')
    expect(verdict).toBe('block')
    expect(observations.some((o) => o.subject === 'os.system')).toBe(true)
  })

  it('lets a sound archive pass', () => {
    expect(scanned(pt({ content: good }), 'model.pt')).toMatchObject({ verdict: 'pass', notes: ['loads under weights_only'] })
  })

  it.each<[string, Buffer, string]>([
    ['7z', bytesOf('7z', 0xbc, 0xaf, 0x27, 0x1c, 0, 4), 'a 7z archive'],
    ['RAR', bytesOf('Rar!', 0x1a, 7, 1, 0), 'a RAR archive'],
    ['Zstandard', bytesOf(0x28, 0xb5, 0x2f, 0xfd, 1, 0, 7, 1, 0, 0), 'Zstandard data that needs a dictionary'],
  ])('names what it does not look into: %s', (_, file, named) => {
    const { verdict, rules, observations } = scanned(file, 'model.pkl')
    expect({ verdict, rules }).toEqual({ verdict: 'block', rules: ['opaque-container'] })
    expect(observations[0]?.message).toContain(named)
  })
})

describe('what a zip archive hides', () => {
  it.each<[string, Buffer, string]>([
    ['bit 0x1', pt({ flags: 1 }), 'container-lie archive/data.pkl'],
    ['bit 0x20', pt({ flags: 0x20 }), 'container-lie archive/data.pkl'],
    ['bit 0x40', pt({ flags: 0x40 }), 'container-lie archive/data.pkl'],
    ['a bit in one header', pt({ local: { flags: 1 } }), 'container-lie archive/data.pkl'],
    ['another name in the local header', pt({ local: { name: 'archive/data.txt' } }), 'container-lie archive/data.pkl'],
    ['another method in the local header', pt({ local: { method: 8 } }), 'container-lie archive/data.pkl'],
    ['another size in the local header', pt({ local: { size: 7 } }), 'container-lie archive/data.pkl'],
    ['a wrong checksum', pt({ crc: 1 }), 'container-lie archive/data.pkl'],
    ['a member that only its local header names', pt({ hidden: true }), 'container-lie archive/data.pkl'],
    ['bytes before it', pt({}, { prefix: Buffer.from('#!/bin/sh\n') }), 'container-lie polyglot'],
    ['bytes after it', pt({}, { suffix: Buffer.from('more') }), 'container-lie suffix'],
    [
      'two members of one name',
      zipOf([
        { name: 'a', content: good },
        { name: 'a', content: evil },
      ]),
      'container-lie a',
    ],
    ['a name that leads upward', zipOf([{ name: '../a', content: evil }]), 'container-lie ../a'],
    ['a number of members that is not so', pt({}, { count: 9 }), 'container-lie count'],
  ])('%s', (_, file, subject) => {
    const all = subjects(file)
    expect(all).toContain(subject)
    expect(all).toContain('pickle-code os.system')
  })

  it('reads what another reader finds at the end of a file', () => {
    const all = subjects(Buffer.concat([good, pt()]))
    expect(all).toContain('container-lie polyglot')
    expect(all).toContain('pickle-code os.system')
  })

  it('reads members of an archive without a directory', () => {
    const whole = pt()
    expect(subjects(whole.subarray(0, whole.length - 120))).toContain('pickle-code os.system')
  })

  it('says which method it does not read', () => {
    expect(scanned(zipOf([{ name: 'a', content: Buffer.alloc(9), method: 99 }])).observations[0]).toMatchObject({
      rule: 'opaque-container',
      verdict: 'block',
      message: 'was not looked into at a: it is compressed with AES.',
    })
  })
})

describe('what a tar archive hides', () => {
  it.each<[string, Buffer]>([
    ['a name that leads upward', tarOf([{ name: '../../x', content: good }])],
    ['an absolute name', tarOf([{ name: '/etc/x', content: good }])],
    ['a link that leads out', tarOf([{ name: 'x', type: '2', link: '/etc/passwd' }])],
    ['a device', tarOf([{ name: 'x', type: '3' }])],
    ['more after its end', Buffer.concat([tarOf([{ name: 'x', content: good }]), tarOf([{ name: 'y', content: evil }])])],
  ])('%s', (_, file) => {
    expect(scanned(file)).toMatchObject({ verdict: 'block', rules: expect.arrayContaining(['container-lie']) })
  })
})

describe('budgets', () => {
  it('does not unpack without end', () => {
    const bomb = gzipSync(Buffer.alloc(1 << 22))
    expect(scanned(bomb, 'x', { ...defaultLimits, maxUnpackedBytes: 1 << 20 }).observations[0]).toMatchObject({
      rule: 'opaque-container',
      verdict: 'review',
    })
  })
  it('does not descend without end', () => {
    let file = evil
    for (let i = 0; i < 12; i++) file = zipOf([{ name: 'a', content: file }])
    expect(scanned(file).observations[0]).toMatchObject({ rule: 'opaque-container', subject: 'depth', verdict: 'block' })
  })
  it('does not count without end', () => {
    const many = zipOf(Array.from({ length: 30 }, (_, i) => ({ name: `${i}`, content: good })))
    expect(scanned(many, 'x', { ...defaultLimits, maxMembers: 10 }).rules).toContain('container-lie')
  })
  it('reads no tensor that it does not need', () => {
    const file = zipOf([
      { name: 'a/data.pkl', content: good },
      { name: 'a/data/0', content: bytesOf(proto(2), Buffer.alloc(5_000, 0x4b), u32(0)) },
    ])
    expect(scanned(file, 'model.pt').verdict).toBe('pass')
  })
})
