import { createHash } from 'node:crypto'
import type { DeliveredFile, Delivery } from '../../contracts/provenance.ts'
import { contentOf } from './content.ts'
import type { DvcFile } from './dvc-files.ts'
import { fileAt, folderOf, inFolder } from './lookup.ts'
import type { ProblemList } from './problem-list.ts'
import { list, parseJson, property, string, wholeNumber } from './structured.ts'

const maxListingBytes = 256 * 2 ** 20

/** Where DVC keeps an object, below its cache. */
export const objectOf = (md5: string): string => `${md5.slice(0, 2)}/${md5.slice(2)}`

/** Caches of DVC 3, of DVC 2, and copies of remotes, in the folder of the DVC file and the folders above it. */
function* places(folder: string, md5: string): Generator<string> {
  for (let at = folder; ; at = folderOf(at)) {
    for (const cache of ['.dvc/cache/files/md5', '.dvc/cache', 'files/md5']) yield inFolder(at, `${cache}/${objectOf(md5)}`)
    if (at === '') return
  }
}

type Listed = Pick<DvcFile, 'path' | 'md5' | 'bytes' | 'hash' | 'folder' | 'count' | 'input'>

/**
 * The listing of a folder, `[{"md5", "relpath"}]`, where the delivery has it and its own MD5 is `md5` without `.dir`.
 * Null, with a problem, where it differs or is no listing; null where there is none.
 */
export async function listedFolder(
  file: DeliveredFile,
  delivery: Delivery,
  md5: string,
  problems: ProblemList,
): Promise<{ readonly object: string; readonly files: readonly Listed[] } | null> {
  if (!/^[0-9a-f]{32}\.dir$/.test(md5)) return null
  const object = [...places(folderOf(file.path), md5)].find((path) => fileAt(delivery, path))
  if (object === undefined) return null
  const bytes = await contentOf(delivery, object, maxListingBytes, problems)
  if (bytes === null) return null
  if (createHash('md5').update(bytes).digest('hex') !== md5.slice(0, 32)) {
    problems.error('inconsistent', `${object}: is not the listing that ${file.path} names: its MD5 differs.`, { file: object })
    return null
  }
  const tree = parseJson(bytes.toString('utf8'), object)
  if ('code' in tree || !Array.isArray(tree.value)) {
    const { code, message, place } =
      'code' in tree ? tree : { code: 'malformed' as const, message: `${object} is no listing.`, place: { file: object } }
    problems.error(code, message, place)
    return null
  }
  const files = list(tree.value).flatMap((item, i): Listed[] => {
    const path = string(property(item, 'relpath'))
    if (path === null) problems.error('malformed', `${object}, item ${i + 1}: has no relpath.`, { file: object, row: i })
    const size = wholeNumber(property(item, 'size'))
    return path === null
      ? []
      : [{ path, md5: string(property(item, 'md5')), bytes: size, hash: null, folder: null, count: null, input: false }]
  })
  return { object, files }
}
