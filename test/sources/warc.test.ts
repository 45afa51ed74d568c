import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { folder, load, refusal } from './make.ts'

const { dir, put } = folder()

const record = (type: string, headers: Readonly<Record<string, string>>, body: string | Buffer): Buffer => {
  const bytes = Buffer.from(body as string)
  const lines = Object.entries({ 'WARC-Type': type, ...headers, 'Content-Length': String(bytes.length) }).map(([k, v]) => `${k}: ${v}`)
  return Buffer.concat([Buffer.from(`WARC/1.0\r\n${lines.join('\r\n')}\r\n\r\n`), bytes, Buffer.from('\r\n\r\n')])
}
const page = (i: number, text: string | Buffer, head = 'Content-Type: text/html; charset=utf-8'): Buffer =>
  record(
    'response',
    {
      'WARC-Record-ID': `<urn:uuid:${i}>`,
      'WARC-Target-URI': `https://example.org/${i}`,
      'WARC-Date': '2026-11-01T00:00:00Z',
      'Content-Type': 'application/http; msgtype=response',
    },
    Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n`), Buffer.from(text as string)]),
  )
const wet = (i: number, text: string): Buffer =>
  record(
    'conversion',
    {
      'WARC-Record-ID': `<urn:uuid:${i}>`,
      'WARC-Target-URI': `https://example.org/${i}`,
      'WARC-Date': '2026-11-01T00:00:00Z',
      'Content-Type': 'text/plain',
    },
    text,
  )
const info = record('warcinfo', { 'Content-Type': 'application/warc-fields' }, 'software: test\r\n')

describe('WARC and WET', () => {
  test.each(['crawl.wet', 'crawl.warc.wet.gz'])('%s: text with address, date and id', async (name) => {
    const parts = [info, ...Array.from({ length: 30 }, (_, i) => wet(i, `Text ${i}\r\n\r\nof two paragraphs`))]
    // Common Crawl packs each record as a gzip member of its own.
    const path = put(name, Buffer.concat(name.endsWith('.gz') ? parts.map((p) => gzipSync(p)) : parts))
    const { listing, rows, issues, errors } = await load({ path }, dir)
    expect(listing.roles).toEqual(['id', 'text', 'time', 'url'])
    expect(rows).toHaveLength(30)
    expect(rows[3]).toEqual({
      row: 3,
      id: '<urn:uuid:3>',
      text: 'Text 3\r\n\r\nof two paragraphs',
      time: '2026-11-01T00:00:00Z',
      url: 'https://example.org/3',
    })
    expect([issues, errors]).toEqual([[], []])
  })

  test('responses lose their HTTP header, other kinds of records are no rows, what cannot be decoded is counted', async () => {
    const parts = [
      info,
      record('request', { 'Content-Type': 'application/http; msgtype=request' }, 'GET / HTTP/1.1\r\n\r\n'),
      page(1, '<p>One</p>'),
      page(2, Buffer.from('na\xefve', 'latin1'), 'Content-Type: text/html; charset=windows-1252'),
      page(3, Buffer.from([0xff, 0xfe, 0x80])),
      page(4, gzipSync('x'), 'Content-Type: text/html\r\nContent-Encoding: gzip'),
      page(5, Buffer.from([0x89, 0x50]), 'Content-Type: image/png'),
      page(6, 'x'.repeat(9 * 2 ** 20)),
      page(7, 'Last'),
    ]
    const { rows, issues } = await load({ path: put('a.warc', Buffer.concat(parts)) }, dir)
    expect(rows.map((r) => [r.row, r.text])).toEqual([
      [0, '<p>One</p>'],
      [1, 'naïve'],
      [4, null],
      [6, 'Last'],
    ])
    expect(issues.filter((i) => i.rejected).map((i) => [i.row, i.code])).toEqual([
      [2, 'invalid-utf8'],
      [3, 'wrong-type'],
      [5, 'too-long'],
    ])
  })

  test('a cut, a wrong length and a missing length name the place', async () => {
    const whole = Buffer.concat([wet(1, 'First'), wet(2, 'Second'), wet(3, 'Third')])
    const cut = await load({ path: put('cut.wet', whole.subarray(0, whole.length - 6)) }, dir)
    expect(cut.rows).toHaveLength(2)
    expect(cut.errors.map((e) => [e.code, e.exit])).toEqual([['truncated', 2]])
    expect(cut.errors[0]?.message).toContain('byte')
    const wrong = await load({ path: put('wrong.wet', whole.toString().replace('Content-Length: 6', 'Content-Length: 14')) }, dir)
    expect(wrong.errors.map((e) => e.code)).toEqual(['corrupt'])
    const none = await refusal(
      {
        path: put(
          'none.wet',
          wet(1, 'a')
            .toString()
            .replace(/Content-Length: \d+/, 'Content-Length: -5'),
        ),
      },
      dir,
    )
    expect(none.code).toBe('corrupt')
    expect((await refusal({ path: put('long.wet', `WARC/1.0\r\nX: ${'y'.repeat(100_000)}`) }, dir)).code).toBe('corrupt')
    expect((await refusal({ path: put('info.warc', info) }, dir)).code).toBe('empty')
  })
})
