import type { Readable } from 'node:stream'
import { type Entry, open, type ZipFile } from 'yauzl'

/** An archive whose entries are listed and whose sizes are checked while members are read; close it. */
export const openZip = (path: string): Promise<ZipFile> =>
  new Promise((resolve, reject) => {
    open(path, { lazyEntries: true, autoClose: false, validateEntrySizes: true }, (e, zip) => (e ? reject(e) : resolve(zip)))
  })

export const entriesOf = (zip: ZipFile): Promise<readonly Entry[]> =>
  new Promise((resolve, reject) => {
    const entries: Entry[] = []
    zip.on('error', reject)
    zip.on('end', () => resolve(entries))
    zip.on('entry', (entry: Entry) => {
      entries.push(entry)
      zip.readEntry()
    })
    zip.readEntry()
  })

export const streamOf = (zip: ZipFile, entry: Entry): Promise<Readable> =>
  new Promise((resolve, reject) => {
    zip.openReadStream(entry, (e, stream) => (e ? reject(e) : resolve(stream)))
  })
