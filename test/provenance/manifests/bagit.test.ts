import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bagit } from '../../../src/provenance/manifests/bagit.ts'
import { bag, below } from './bags.ts'
import { type Contents, hex, plainGrades, readAll, readOne, unpack } from './packages.ts'

/** As a conformance suite asks: valid without a word, valid with warnings, or invalid. */
async function verdict(contents: Contents): Promise<'valid' | 'warning' | 'invalid' | 'no bag'> {
  const delivery = await unpack(contents)
  const manifests = await readAll(bagit, delivery)
  if (manifests.length === 0) return 'no bag'
  const problems = manifests.flatMap((manifest) => manifest.problems)
  const grades = manifests.flatMap((manifest) => [...plainGrades(manifest, delivery).values()])
  if (problems.some(({ invalid }) => invalid) || grades.some((grade) => grade !== 'verified')) return 'invalid'
  return problems.length > 0 ? 'warning' : 'valid'
}

const md5 = { algorithms: ['md5'], tagManifest: false }
const draft = { version: '0.97', ...md5 }
const sum = (content: string, path: string): string => `${hex('md5', content)}  ${path}\n`
const hello = 'hello\n'
const world = 'world\n'
const both = sum(hello, 'data/hello.txt') + sum(world, 'data/sub/world.txt')

describe('what RFC 8493 asks of a bag', () => {
  it.each(['0.93', '0.94', '0.95', '0.96', '0.97', '1.0'])('accepts a bag of version %s', async (version) => {
    expect(await verdict(bag({ version }))).toBe('valid')
  })

  it.each(['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'blake2b'])('reads manifests of %s', async (algorithm) => {
    expect(await verdict(bag({ algorithms: [algorithm] }))).toBe('valid')
  })

  it('takes several manifests as one entry a file, whose digests must all hold', async () => {
    const manifest = await readOne(bagit, bag({ algorithms: ['md5', 'sha256'], tagManifest: false }))
    expect(manifest.entries.map(({ path, digests }) => [path, digests.map(({ algorithm }) => algorithm)])).toEqual([
      ['data/hello.txt', ['md5', 'sha256']],
      ['data/sub/world.txt', ['md5', 'sha256']],
    ])
    expect(manifest).toMatchObject({ kind: 'bagit', version: '1.0', closed: 'data', file: 'bagit.txt' })
    expect(manifest.own).toEqual(['bagit.txt', 'manifest-md5.txt', 'manifest-sha256.txt'])
  })

  it('finds a bag in a folder, and a bag in a bag', async () => {
    expect(await verdict(below('some/bag', bag()))).toBe('valid')
    const [manifest] = await readAll(bagit, await unpack(below('some/bag', bag())))
    expect(manifest).toMatchObject({ closed: 'some/bag/data', file: 'some/bag/bagit.txt' })
    const inner = below('inner', bag({ tagManifest: false })) as Record<string, string>
    expect(await verdict(bag({ payload: inner }))).toBe('valid')
    expect(await verdict(bag({ payload: inner }, { 'data/inner/data/hello.txt': 'changed\n' }))).toBe('invalid')
  })

  it('accepts an empty payload, and refuses a bag without data/', async () => {
    expect(await verdict(bag({ payload: {} }))).toBe('valid')
    expect(await verdict(bag({ payload: {} }, { 'data/': null }))).toBe('invalid')
  })

  it.each([
    ['a payload file was changed', { 'data/hello.txt': 'HELLO\n' }],
    ['a payload file is gone', { 'data/hello.txt': null }],
    ['a file was added to the payload', { 'data/more.txt': 'more' }],
    [
      'a tag file was changed',
      {
        'bag-info.txt': 'Contact-Name: Somebody Else\n',
        'tagmanifest-sha512.txt': `${hex('sha512', 'Contact-Name: A\n')}  bag-info.txt\n`,
      },
    ],
    ['a tag file is gone', { 'tagmanifest-sha512.txt': `${hex('sha512', 'x')}  gone.txt\n` }],
    ['there is no payload manifest', { 'manifest-sha512.txt': null }],
    ['bagit.txt is gone', { 'bagit.txt': null }],
  ])('refuses a bag where %s', async (_, changes) => {
    expect(await verdict(bag({}, changes))).toBe('invalid')
  })

  it('does not take sums files for bags', async () => {
    expect(await verdict({ 'manifest-sha256.txt': `${hex('sha256', 'a')}  a.txt\n`, 'a.txt': 'a' })).toBe('no bag')
  })

  it('reads a bag without bagit.txt once, whatever the number of its manifests', async () => {
    const manifests = await readAll(bagit, await unpack(bag({ algorithms: ['md5', 'sha256'], tagManifest: false }, { 'bagit.txt': null })))
    expect(manifests.map(({ file, version }) => [file, version])).toEqual([['manifest-md5.txt', null]])
  })
})

describe('bagit.txt', () => {
  const second = 'Tag-File-Character-Encoding: UTF-8\n'
  it.each([
    ['a space before the colon', `BagIt-Version : 1.0\n${second}`],
    ['no space after it', `BagIt-Version:1.0\n${second}`],
    ['no major version', `BagIt-Version: .97\n${second}`],
    ['an unknown version', `BagIt-Version: 2.0\n${second}`],
    ['no encoding', 'BagIt-Version: 1.0\n'],
    ['the lines in the other order', `${second}BagIt-Version: 1.0\n`],
    ['a third line', `BagIt-Version: 1.0\n${second}More: 1\n`],
    ['a byte order mark', `\ufeffBagIt-Version: 1.0\n${second}`],
    ['one before its second line', `BagIt-Version: 1.0\n\ufeff${second}`],
    ['nothing in it', ''],
    ['an encoding that nobody knows', 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-99\n'],
  ])('is refused with %s', async (_, text) => {
    expect(await verdict(bag({ tagManifest: false }, { 'bagit.txt': text }))).toBe('invalid')
  })

  it('may end its lines in CR LF, or not at all', async () => {
    expect(await verdict(bag({ tagManifest: false }, { 'bagit.txt': 'BagIt-Version: 1.0\r\nTag-File-Character-Encoding: UTF-8' }))).toBe(
      'valid',
    )
  })

  it.each([
    ['ISO-8859-1', (text: string) => Buffer.from(text, 'latin1')],
    ['UTF-16LE', (text: string) => Buffer.from(text, 'utf16le')],
    ['UTF-16', (text: string) => Buffer.from(text, 'utf16le').swap16()],
    ['UTF-16', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')],
  ])('says that the other tag files are %s', async (encoding, encode) => {
    const name = 'data/m\u00fcsli.txt'
    const changes = {
      'bagit.txt': `BagIt-Version: 0.97\nTag-File-Character-Encoding: ${encoding}\n`,
      'manifest-md5.txt': encode(sum(hello, name)),
    }
    expect(await verdict(bag({ ...draft, payload: { 'm\u00fcsli.txt': hello } }, changes))).toBe('valid')
  })

  it('is right about UTF-8', async () => {
    expect(await verdict(bag(draft, { 'manifest-md5.txt': Buffer.from(`${both}ff data/\xff\n`, 'latin1') }))).toBe('invalid')
    expect(await verdict(bag(draft, { 'manifest-md5.txt': `\ufeff${both}` }))).toBe('warning')
  })
})

describe('lines of manifests', () => {
  it.each([
    ['one space', 'valid', sum(hello, 'data/hello.txt').replace('  ', ' ')],
    ['a tab', 'valid', sum(hello, 'data/hello.txt').replace('  ', '\t')],
    ['CR LF', 'valid', sum(hello, 'data/hello.txt').replace('\n', '\r\n')],
    ['no line end', 'valid', sum(hello, 'data/hello.txt').trimEnd()],
    ['upper case digits', 'valid', sum(hello, 'data/hello.txt').replace(/^\w+/, (digits) => digits.toUpperCase())],
    ['"./" before the path', 'warning', sum(hello, './data/hello.txt')],
    ['"./" inside of the path', 'warning', sum(hello, 'data/./hello.txt')],
    ['"*" of md5sum', 'warning', sum(hello, '*data/hello.txt').replace('  ', ' ')],
    ['a comment', 'warning', `# made by hand\n${sum(hello, 'data/hello.txt')}`],
    ['the same line twice', 'warning', sum(hello, 'data/hello.txt').repeat(2)],
    ['two digests for one file', 'invalid', sum(hello, 'data/hello.txt') + sum(world, 'data/hello.txt')],
    ['a digest alone', 'invalid', sum(hello, 'data/hello.txt') + hex('md5', world)],
    ['too few digits', 'invalid', sum(hello, 'data/hello.txt').slice(1)],
    ['a file outside of data/', 'invalid', sum(hello, 'data/hello.txt') + sum(hello, 'hello.txt')],
    ['an absolute path', 'invalid', sum(hello, 'data/hello.txt') + sum(hello, '/etc/hostname')],
    ['a path up', 'invalid', sum(hello, 'data/hello.txt') + sum(hello, '../hello.txt')],
    ['a path up and down', 'invalid', sum(hello, 'data/../data/hello.txt')],
    ['a home folder', 'invalid', sum(hello, 'data/hello.txt') + sum(hello, '~/hello.txt')],
    ['the home folder of somebody', 'invalid', sum(hello, 'data/hello.txt') + sum(hello, '~root/hello.txt')],
    ['a drive', 'invalid', sum(hello, 'data/hello.txt') + sum(hello, 'C:\\hello.txt')],
    ['a share', 'invalid', sum(hello, 'data/hello.txt') + sum(hello, '\\\\?\\UNC\\server\\hello.txt')],
    ['a variable of Windows', 'invalid', sum(hello, 'data/hello.txt') + sum(hello, '%HomeDrive%\\hello.txt')],
  ])('with %s are %s in 0.97', async (_, expected, text) => {
    expect(await verdict(bag({ ...draft, payload: { 'hello.txt': hello } }, { 'manifest-md5.txt': text, 'hello.txt': hello }))).toBe(
      expected,
    )
  })

  it('may not name a file twice since 1.0', async () => {
    expect(
      await verdict(bag({ ...md5, payload: { 'hello.txt': hello } }, { 'manifest-md5.txt': sum(hello, 'data/hello.txt').repeat(2) })),
    ).toBe('invalid')
  })

  it('must name every payload file in every manifest since 1.0', async () => {
    const changes = { 'manifest-sha256.txt': `${hex('sha256', hello)}  data/hello.txt\n` }
    const parts = { algorithms: ['md5', 'sha256'], tagManifest: false }
    expect(await verdict(bag(parts, changes))).toBe('invalid')
    expect(await verdict(bag({ ...parts, version: '0.97' }, changes))).toBe('valid')
  })

  it('never verifies by an algorithm that cannot be computed', async () => {
    const foreign = bag(md5, {
      'manifest-md5.txt': null,
      'manifest-whirlpool.txt': `${'ab'.repeat(64)}  data/hello.txt\n${'ab'.repeat(64)}  data/sub/world.txt\n`,
    })
    expect(await verdict(foreign)).toBe('invalid')
    expect((await readOne(bagit, foreign)).problems.map(({ code, invalid }) => [code, invalid])).toEqual([
      ['unsupported', false],
      ['unsupported', true],
    ])
    expect(
      await verdict(bag(md5, { 'manifest-whirlpool.txt': `${'ab'.repeat(64)}  data/hello.txt\n${'ab'.repeat(64)}  data/sub/world.txt\n` })),
    ).toBe('warning')
  })
})

describe('names', () => {
  it.each([
    ['%0A and %0D stand for line ends', '0.97', 'a\nb\rc.txt', 'a%0Ab%0dc.txt', 'valid'],
    ['%25 stands for a percent sign since 1.0', '1.0', '100%.txt', '100%25.txt', 'valid'],
    ['a percent sign may stand for itself before', '0.97', '%test.txt', '%test.txt', 'valid'],
    ['a name that looks encoded is a name', '0.96', '%7Edir/~test.txt', '%7Edir/~test.txt', 'valid'],
    ['spaces belong to the name', '1.0', 'a name with  spaces.txt', 'a name with  spaces.txt', 'valid'],
    ['a name in another normal form is found', '0.97', 'Nu\u0301n\u0303ez', 'N\u00fa\u00f1ez', 'warning'],
    ['a name in other case is found', '0.97', 'Hello.TXT', 'hello.txt', 'warning'],
    ['files of a Mac are no payload', '0.97', '.DS_Store', '.DS_Store', 'warning'],
    ['files of Windows are no payload', '0.97', 'sub/Thumbs.db', 'sub/Thumbs.db', 'warning'],
  ])('%s', async (_, version, onDisk, listed, expected) => {
    const contents = bag({ ...md5, version, payload: { [onDisk]: hello } }, { 'manifest-md5.txt': sum(hello, `data/${listed}`) })
    expect(await verdict(contents)).toBe(expected)
  })

  it('that differ only in case or normal form are a warning, each with its own file', async () => {
    expect(await verdict(bag({ ...draft, payload: { 'hello.txt': hello, 'HELLO.txt': world } }))).toBe('warning')
    expect(await verdict(bag({ ...draft, payload: { 'N\u00fa\u00f1ez': '', 'Nu\u0301n\u0303ez': '' } }))).toBe('warning')
    const one = bag(
      { ...draft, payload: { 'hello.txt': hello } },
      { 'manifest-md5.txt': sum(hello, 'data/hello.txt') + sum(hello, 'data/HELLO.txt') },
    )
    expect(await verdict(one)).toBe('warning')
    const lie = bag(
      { ...draft, payload: { 'hello.txt': hello } },
      { 'manifest-md5.txt': sum(hello, 'data/hello.txt') + sum(world, 'data/HELLO.txt') },
    )
    expect(await verdict(lie)).toBe('invalid')
  })
})

describe('bag-info.txt', () => {
  const info = (text: string, version = '1.0') => verdict(bag({ version, tags: { 'bag-info.txt': text } }))
  it.each([
    ['Payload-Oxum that is right', 'Payload-Oxum: 12.2\n', 'valid'],
    ['Payload-Oxum with other bytes', 'Payload-Oxum: 13.2\n', 'invalid'],
    ['Payload-Oxum with other files', 'Payload-Oxum: 12.3\n', 'invalid'],
    ['Payload-Oxum that is none', 'Payload-Oxum: 12\n', 'invalid'],
    ['two of them, the first right', 'Payload-Oxum: 12.2\nPayload-Oxum: 1.1\n', 'warning'],
    ['a value over several lines', 'Description: one\n  two\n\tthree\n', 'valid'],
    ['the same label twice', 'Contact-Name: A\nContact-Name: B\n', 'valid'],
    ['a colon in a value', 'Source: http://example.org\n', 'valid'],
    ['an empty value', 'Source:\n', 'valid'],
    ['an empty line', 'A: b\n\nC: d\n', 'valid'],
    ['a line without a colon', 'no colon\n', 'invalid'],
    ['a space before the colon', 'Label : value\n', 'invalid'],
    ['no space after the colon', 'Label:value\n', 'warning'],
    ['a continuation of nothing', '  value\n', 'invalid'],
  ])('with %s', async (_, text, expected) => {
    expect(await info(text)).toBe(expected)
  })

  it('was read with patience before 1.0, and called package-info.txt before 0.96', async () => {
    expect(await info('Label : value\nno colon\n', '0.97')).toBe('warning')
    expect(await verdict(bag({ version: '0.95', tags: { 'package-info.txt': 'Payload-Oxum: 13.2\n' } }))).toBe('invalid')
    expect(await verdict(bag({ version: '0.97', tags: { 'package-info.txt': 'Payload-Oxum: 13.2\n' } }))).toBe('valid')
  })
})

describe('fetch.txt', () => {
  const fetching = (text: string, changes: Record<string, string | null> = {}, version = '1.0') =>
    verdict(bag({ ...md5, version, tags: { 'fetch.txt': text } }, changes))
  const line = 'https://example.org/hello.txt 6 data/hello.txt\n'
  it('changes nothing where the file is there, and does not excuse it where it is not', async () => {
    expect(await fetching(line)).toBe('valid')
    expect(await fetching('https://example.org/hello.txt - data/hello.txt\n')).toBe('valid')
    expect(await fetching(line, { 'data/hello.txt': null })).toBe('invalid')
    const manifest = await readOne(bagit, bag({ ...md5, tags: { 'fetch.txt': line } }, { 'data/hello.txt': null }))
    expect(manifest.entries[0]).toMatchObject({ path: 'data/hello.txt', url: 'https://example.org/hello.txt' })
  })

  it.each([
    ['a path that climbs', 'https://example.org/x 1 ../x\n', 'invalid'],
    ['an absolute path', 'https://example.org/x 1 /tmp/x\n', 'invalid'],
    ['a home folder', 'https://example.org/x 1 ~/x\n', 'invalid'],
    ['no length', 'https://example.org/x data/hello.txt\n', 'invalid'],
    ['an address without a host', 'http:/hello 6 data/hello.txt\n', 'invalid'],
    ['no address', 'hello 1 data/hello.txt\n', 'invalid'],
    ['a file that no manifest names', 'https://example.org/x 1 data/x\n', 'invalid'],
    ['another size', 'https://example.org/x 7 data/hello.txt\n', 'warning'],
  ])('with %s', async (_, text, expected) => {
    expect(await fetching(text)).toBe(expected)
  })

  it('named what it wanted before 1.0', async () => {
    expect(await fetching('file:///home/x/y.png 42 y.png\n', {}, '0.97')).toBe('warning')
  })
})

describe('hostile bags', () => {
  it('never throws, and never finds a bag valid whose payload was changed, whatever the tag files say', async () => {
    const soup = fc.string({
      unit: fc.constantFrom('data/', 'hello.txt', '../', ' ', '\n', '*', '%0A', '%', 'é', ':', hex('md5', hello), '\u0000', '\\', '~', 'a'),
      maxLength: 60,
    })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('bagit.txt', 'manifest-md5.txt', 'tagmanifest-md5.txt', 'bag-info.txt', 'fetch.txt'),
        soup,
        async (file, text) => {
          const changed = bag({ ...draft, payload: { 'hello.txt': hello } }, { [file]: text, 'data/hello.txt': 'changed\n' })
          expect(['invalid', 'no bag']).toContain(await verdict(changed))
        },
      ),
      { numRuns: 100 },
    )
  })

  it('keeps the first thousand problems and says that there are more', async () => {
    const manifest = await readOne(bagit, bag(md5, { 'manifest-md5.txt': '/x /x\n'.repeat(3_000) }))
    expect(manifest.problems).toHaveLength(1_001)
    expect(manifest.problems.at(-1)?.message).toMatch(/more than 1,000 problems/)
  })
})
