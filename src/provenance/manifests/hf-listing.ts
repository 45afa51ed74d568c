import type { DeliveredFile, Delivery, Manifest, ManifestEntry } from '../../contracts/provenance.ts'
import { safePath } from '../paths.ts'
import { contentOf } from './content.ts'
import { digestOf } from './digests.ts'
import { baseOf, folderOf } from './lookup.ts'
import { problemList, shown } from './problem-list.ts'
import { list, parseJson, property, string, wholeNumber } from './structured.ts'

const maxBytes = 64 * 2 ** 20

/** Whether a JSON file may be a listing, by its first bytes: `siblings` of a repository, or files of a tree. */
export const isListing = (head: string): boolean =>
  /"siblings"\s*:\s*\[/.test(head) ||
  /^\s*\{"_id":"[0-9a-f]{24}","id":"/.test(head) ||
  (/^\s*\[\s*\{/.test(head) && /"type"\s*:\s*"(file|directory)"/.test(head) && /"oid"\s*:/.test(head))

/** Whether it is one: the list may stand behind the head. */
export async function holdsListing(file: DeliveredFile, delivery: Delivery): Promise<boolean> {
  const content = await contentOf(delivery, file.path, maxBytes, problemList(file.path))
  return content !== null && (/^\s*\[/.test(content.toString('latin1', 0, 100)) || /"siblings"\s*:\s*\[/.test(content.toString('latin1')))
}

interface Named {
  readonly name: string
  readonly oid: string | null
  readonly bytes: number | null
  readonly index: number
}

function named(item: unknown, index: number): Named | null {
  const name = string(property(item, 'rfilename')) ?? string(property(item, 'path'))
  if (name === null) return null
  const lfs = property(item, 'lfs')
  const oid = string(property(lfs, 'sha256')) ?? string(property(lfs, 'oid'))
  return { name, oid, bytes: wholeNumber(property(lfs, 'size')) ?? wholeNumber(property(item, 'size')), index }
}

/** The hub's `/api/datasets/ID?blobs=true` or `/api/datasets/ID/tree/REVISION`, saved as a file. */
export async function readListing(file: DeliveredFile, delivery: Delivery): Promise<Manifest> {
  const problems = problemList(file.path)
  const content = await contentOf(delivery, file.path, maxBytes, problems)
  const tree = content && parseJson(content.toString('utf8'), file.path)
  if (tree && 'code' in tree) problems.error(tree.code, tree.message, tree.place)
  const value = tree && 'value' in tree ? tree.value : null
  const items = list(Array.isArray(value) ? value : property(value, 'siblings'))
  if (value !== null && items.length === 0) problems.error('malformed', `${file.path} lists no files.`, { file: file.path })
  const found: Named[] = []
  for (const [index, item] of items.entries()) {
    if (property(item, 'type') === 'directory') continue
    const entry = named(item, index)
    if (entry) found.push(entry)
    else problems.error('malformed', `${file.path}, item ${index + 1}: names no file.`, { file: file.path, row: index })
  }
  const names = found.map(({ name }) => name)
  const base = baseOf(delivery, folderOf(file.path), names)
  const entries = found.flatMap(({ name, oid, bytes, index }): ManifestEntry[] => {
    const place = { file: file.path, row: index }
    const safe = safePath(name, base)
    if ('hostile' in safe) {
      problems.error('hostile-path', `${file.path}, item ${index + 1}: the name "${shown(name)}" is refused: ${safe.hostile}.`, place)
      return []
    }
    const digest = oid === null ? null : digestOf('sha256', oid.replace(/^sha256:/, ''))
    const digests = digest ? [digest] : []
    return [
      {
        path: safe.path,
        digests,
        bytes,
        range: null,
        placeholder: digest || oid === null ? null : shown(oid),
        url: null,
        label: null,
        place,
      },
    ]
  })
  const plain = found.filter(({ oid }) => oid === null).length
  if (plain > 0) {
    const files = plain === 1 ? '1 file is' : `${plain.toLocaleString('en')} files are`
    problems.warn('unsupported', `${file.path}: ${files} known by Git's SHA-1 alone, which is no digest of the bytes: not verified.`, {
      file: file.path,
    })
  }
  return {
    kind: 'hf-pointer',
    title: 'Hugging Face listing',
    file: file.path,
    version: string(property(value, 'sha')),
    entries,
    closed: null,
    ignored: [],
    own: [file.path],
    signatures: [],
    problems: problems.all,
    facts: [],
  }
}
