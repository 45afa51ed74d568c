import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeliveredFile, Delivery, Manifest, ManifestEntry, ManifestFormat } from '../../contracts/provenance.ts'
import { readFetch, readSums } from './bagit/lines.ts'
import type { Bag, Sums } from './bagit/payload.ts'
import { addFetches, checkCompleteness, checkOxum, entriesOf, merged } from './bagit/payload.ts'
import type { Declaration } from './bagit/tag-files.ts'
import { decoderOf, readDeclaration, readInfo, withoutMark } from './bagit/tag-files.ts'
import { contentOf } from './content.ts'
import { algorithmNamed } from './digests.ts'
import { baseName, fileAt, filesUnder, folderOf, inFolder } from './lookup.ts'
import type { ProblemList } from './problem-list.ts'
import { problemList } from './problem-list.ts'

const maxDeclarationBytes = 64 * 1024
const maxTagBytes = 256 * 1024 * 1024
const manifestName = /^manifest-([A-Za-z0-9_-]{1,32})\.txt$/
const tagManifestName = /^tagmanifest-([A-Za-z0-9_-]{1,32})\.txt$/

/** A bag: RFC 8493 and its drafts 0.93 to 0.97. Found by `bagit.txt`, or by a payload manifest beside `data/` where that is missing. */
export const bagit: ManifestFormat = {
  kind: 'bagit',
  title: 'BagIt',
  detect: ({ path }) => baseName(path) === 'bagit.txt' || manifestName.test(baseName(path)),
  async confirm({ path }, delivery) {
    if (baseName(path) === 'bagit.txt') return true
    const folder = folderOf(path)
    const [first] = manifestsOf(folder, manifestName, delivery)
    return (
      fileAt(delivery, inFolder(folder, 'bagit.txt')) === null &&
      first?.path === path &&
      !filesUnder(delivery, inFolder(folder, 'data/')).next().done
    )
  },
  read: readBag,
}

async function readBag(file: DeliveredFile, delivery: Delivery): Promise<Manifest> {
  const base = folderOf(file.path)
  const problems = problemList(file.path)
  const declaration = await declarationOf(base, delivery, problems)
  const bag: Bag = { base, final: declaration.final, delivery, problems }
  const text = reader(declaration.encoding, bag)

  const payloadFiles = manifestsOf(base, manifestName, delivery)
  const tagFiles = manifestsOf(base, tagManifestName, delivery)
  const info = fileAt(
    delivery,
    inFolder(base, ['0.93', '0.94', '0.95'].includes(declaration.version ?? '') ? 'package-info.txt' : 'bag-info.txt'),
  )
  const fetch = fileAt(delivery, inFolder(base, 'fetch.txt'))
  await checkStructure(bag, payloadFiles)

  const payload: { readonly file: string; readonly entries: Map<string, ManifestEntry[]> }[] = []
  for (const each of payloadFiles) {
    const sums = await sumsOf(each, manifestName, bag, text)
    if (sums) payload.push({ file: each.path, entries: entriesOf(bag, sums, true) })
  }
  if (payload.length > 0 && payload.every((each) => algorithmNamed(manifestName.exec(baseName(each.file))?.[1] ?? '') === null)) {
    problems.error('unsupported', `No payload manifest of ${base || 'the bag'} uses a digest that can be computed.`, { file: file.path })
  }
  if (declaration.final) checkCompleteness(bag, payload)
  const entries = merged(payload.map((each) => each.entries))
  if (fetch) {
    const content = await text(fetch)
    if (content !== null) addFetches(bag, readFetch(content, fetch.path, problems), fetch.path, entries)
  }
  if (info) {
    const content = await text(info)
    const oxum = content === null ? null : readInfo(content, info.path, declaration.final, problems)
    if (oxum) checkOxum(bag, oxum, info.path)
  }
  const tags: Map<string, ManifestEntry[]>[] = []
  for (const each of tagFiles) {
    const sums = await sumsOf(each, tagManifestName, bag, text)
    if (sums) tags.push(entriesOf(bag, sums, false))
  }
  const own = [fileAt(delivery, inFolder(base, 'bagit.txt')), ...payloadFiles, ...tagFiles, info, fetch].filter((each) => each !== null)
  return {
    kind: 'bagit',
    title: 'BagIt',
    file: file.path,
    version: declaration.version,
    entries: [...entries.values(), ...merged(tags).values()].flat(),
    closed: inFolder(base, 'data'),
    ignored: [],
    own: own.map((each) => each.path),
    signatures: [],
    problems: problems.all,
    facts: [],
  }
}

async function declarationOf(base: string, delivery: Delivery, problems: ProblemList): Promise<Declaration> {
  const path = inFolder(base, 'bagit.txt')
  const unknown = { version: null, final: true, encoding: 'UTF-8' }
  if (fileAt(delivery, path)) {
    const bytes = await contentOf(delivery, path, maxDeclarationBytes, problems)
    return bytes === null ? unknown : readDeclaration(bytes, path, problems)
  }
  problems.error('malformed', `${path} is missing: the folder has a payload manifest and data/, but does not declare itself a bag.`, {
    file: path,
  })
  return unknown
}

/** Reads a tag file in the bag's encoding; null, with a problem, where it cannot. */
function reader(encoding: string, { base, delivery, problems }: Bag): (file: DeliveredFile) => Promise<string | null> {
  const decode = decoderOf(encoding)
  if (decode === null)
    problems.error('unsupported', `The encoding ${encoding} of the tag files is not known.`, { file: inFolder(base, 'bagit.txt'), line: 2 })
  return async ({ path }) => {
    const bytes = await contentOf(delivery, path, maxTagBytes, problems)
    if (decode === null || bytes === null) return null
    const text = decode(bytes)
    if (text === null) problems.error('malformed', `${path} is not ${encoding}.`, { file: path })
    else if (text !== withoutMark(text) && encoding.toLowerCase() === 'utf-8')
      problems.warn('malformed', `${path} begins with a byte order mark.`, { file: path, line: 1 })
    return text === null ? null : withoutMark(text)
  }
}

function manifestsOf(base: string, pattern: RegExp, delivery: Delivery): DeliveredFile[] {
  const start = inFolder(base, pattern === manifestName ? 'manifest-' : 'tagmanifest-')
  return [...filesUnder(delivery, start)].filter(({ path }) => folderOf(path) === base && pattern.test(baseName(path)))
}

async function sumsOf(
  file: DeliveredFile,
  pattern: RegExp,
  { problems }: Bag,
  text: (file: DeliveredFile) => Promise<string | null>,
): Promise<Sums | null> {
  const algorithm = pattern.exec(baseName(file.path))?.[1] ?? ''
  const content = await text(file)
  if (algorithmNamed(algorithm) === null)
    problems.warn('unsupported', `${algorithm}, the digest of ${file.path}, cannot be computed.`, { file: file.path })
  return content === null ? null : { file: file.path, algorithm, sums: readSums(content, file.path, problems) }
}

async function checkStructure({ base, delivery, problems }: Bag, manifests: readonly DeliveredFile[]): Promise<void> {
  const where = base || 'The bag'
  if (manifests.length === 0)
    problems.error('malformed', `${where} has no payload manifest (manifest-ALGORITHM.txt).`, { file: inFolder(base, 'bagit.txt') })
  const data = inFolder(base, 'data')
  if (!filesUnder(delivery, `${data}/`).next().done) return
  const folder = await lstat(join(delivery.root, data)).catch(() => null)
  if (!folder?.isDirectory()) problems.error('malformed', `${where} has no folder data/.`, { file: inFolder(base, 'bagit.txt') })
}
