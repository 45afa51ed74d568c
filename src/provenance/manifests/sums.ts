import type { DeliveredFile, Delivery, Digest, Manifest, ManifestEntry, ManifestFormat, TrustPolicy } from '../../contracts/provenance.ts'
import { safePath } from '../paths.ts'
import { isClearSigned, signedText } from './clear-signed.ts'
import { contentOf } from './content.ts'
import { baseName, baseOf, fileAt, folderOf, inFolder } from './lookup.ts'
import { type ProblemList, problemList, shown } from './problem-list.ts'
import { type Hint, isRemark, readSumLine, type SumLine } from './sum-lines.ts'
import { type SumsName, sumsName } from './sum-names.ts'
import { signaturesBeside } from './sum-signatures.ts'
import { textLines } from './text-lines.ts'

const maxBytes = 256 * 2 ** 20
const maxSums = 1_000_000

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Lines of a head that are whole, its last one too where the file ends with it. */
function* headLines(file: DeliveredFile, head: Uint8Array): Generator<string | null> {
  const bytes = asBuffer(head)
  const end = file.bytes > bytes.length ? Math.max(bytes.lastIndexOf(10), bytes.lastIndexOf(0)) : bytes.length
  for (const { text } of textLines(bytes.subarray(0, Math.max(0, end)))) yield text
}

/** Whether every line that is no remark is a sum of a named file, and there is one. */
function looksLikeSums(file: DeliveredFile, head: Uint8Array, hint: Hint): boolean {
  let sums = 0
  for (const text of headLines(file, head)) {
    if (text === null) return false
    if (isRemark(text)) continue
    if (readSumLine(text, hint)?.name == null) return false
    sums += 1
  }
  return sums > 0
}

const listLike = /^[^.]+$|\.(txt|lst|list|sums?|digests?)$/i
const bagManifest = /^(tag)?manifest-[a-z0-9-]+\.txt$/i

function detect(file: DeliveredFile, head: () => Uint8Array): boolean {
  const name = sumsName(file.path)
  if (/\.asc$/i.test(file.path)) return name !== null && isClearSigned(asBuffer(head()))
  if (name?.sure) return true
  if (name) return [...headLines(file, head())].some((text) => text !== null && readSumLine(text, name.hint) !== null)
  const base = baseName(file.path)
  return listLike.test(base) && !bagManifest.test(base) && looksLikeSums(file, head(), null)
}

interface Draft {
  readonly line: number
  readonly sum: SumLine
  readonly name: string
}

interface Reading {
  readonly file: DeliveredFile
  readonly delivery: Delivery
  readonly name: SumsName
  readonly problems: ProblemList
  readonly most: number
}

/** The name of a sum that has none: the file beside which the sums file stands. */
function nameOf({ file, delivery, name, problems }: Reading, sum: SumLine, line: number): string | null {
  const subject = name.subject === null ? null : baseName(name.subject)
  const piped = sum.name === null || sum.name === '-' || sum.name === 'stdin'
  if (!piped) {
    const other = sum.name as string
    const elsewhere = subject !== null && other !== subject && other.endsWith(`/${subject}`) && !/^(\/|[a-z]:|~)|(^|\/)\.\.\//i.test(other)
    return elsewhere && fileAt(delivery, inFolder(folderOf(file.path), other)) === null ? subject : other
  }
  if (subject === null)
    problems.error('malformed', `${file.path}, line ${line}: a digest without the name of a file.`, { file: file.path, line })
  return subject
}

function drafts(reading: Reading, bytes: Buffer): Draft[] {
  const { file, name, problems, most } = reading
  const found: Draft[] = []
  for (const { line, text } of signedText(textLines(bytes), file.path, problems)) {
    const place = { file: file.path, line }
    if (text === null) {
      problems.error('malformed', `${file.path}, line ${line}: bytes that are not UTF-8; the sum cannot be compared.`, place)
      continue
    }
    if (isRemark(text)) continue
    if (found.length === most) {
      problems.error(
        'too-large',
        `${file.path}: only its first ${most.toLocaleString('en')} sums were read, up to line ${line - 1}.`,
        place,
      )
      break
    }
    const sum = readSumLine(text, name.hint)
    if (sum === null) {
      problems.error('malformed', `${file.path}, line ${line}: "${shown(text)}" is no sum.`, place)
      continue
    }
    const named = nameOf(reading, sum, line)
    if (named === null) continue
    if (sum.unsupported !== null) {
      problems.warn('unsupported', `${file.path}, line ${line}: ${shown(sum.unsupported)} digests cannot be computed.`, place)
    }
    found.push({ line, sum, name: named })
  }
  return found
}

interface Merged {
  readonly line: number
  readonly digests: Digest[]
  placeholder: string | null
}

function entriesOf(reading: Reading, found: readonly Draft[]): ManifestEntry[] {
  const { file, problems } = reading
  const base = baseOf(
    reading.delivery,
    folderOf(file.path),
    found.map(({ name }) => name),
  )
  const byPath = new Map<string, Merged>()
  for (const { line, sum, name } of found) {
    const place = { file: file.path, line }
    const safe = safePath(name, base)
    if ('hostile' in safe) {
      problems.error('hostile-path', `${file.path}, line ${line}: the name "${shown(name)}" is refused: ${safe.hostile}.`, place)
      continue
    }
    if (safe.path === file.path) {
      problems.warn('inconsistent', `${file.path}, line ${line}: it names itself, and no file can hold its own digest.`, place)
      continue
    }
    const known = byPath.get(safe.path) ?? { line, digests: [], placeholder: null }
    byPath.set(safe.path, known)
    known.placeholder ??= sum.placeholder
    if (sum.digest === null) continue
    const { algorithm, hex } = sum.digest
    const same = known.digests.find((digest) => digest.algorithm === algorithm)
    if (same && same.hex !== hex) {
      problems.error('inconsistent', `${file.path}, lines ${known.line} and ${line}: two ${algorithm} digests for ${shown(name)}.`, place)
    }
    if (same?.hex !== hex) known.digests.push(sum.digest)
  }
  return Array.from(byPath, ([path, { line, digests, placeholder }]) => ({
    path,
    digests,
    bytes: null,
    range: null,
    placeholder,
    url: null,
    label: null,
    place: { file: file.path, line },
  }))
}

/** At most `most` sums; what follows is a problem. */
export async function readSums(file: DeliveredFile, delivery: Delivery, trust: TrustPolicy, most = maxSums): Promise<Manifest> {
  const name = sumsName(file.path) ?? { sure: false, hint: null, subject: null }
  const problems = problemList(file.path)
  const reading: Reading = { file, delivery, name, problems, most }
  const bytes = await contentOf(delivery, file.path, maxBytes, problems)
  const entries = bytes === null ? [] : entriesOf(reading, drafts(reading, bytes))
  if (entries.length === 0 && problems.all.length === 0) {
    problems.error('malformed', `${file.path} holds no sums.`, { file: file.path })
  }
  const { signatures, own } = await signaturesBeside(file, delivery, bytes, trust)
  return {
    kind: 'sums',
    title: 'Checksums',
    file: file.path,
    version: null,
    entries,
    closed: null,
    ignored: [],
    own: [file.path, ...own],
    signatures,
    problems: problems.all,
    facts: [],
  }
}

/** Lists of checksums: SHA256SUMS, md5sum.txt, x.csv.sha256 and the like, in the dialects that `readSumLine` knows. */
export const sums: ManifestFormat = { kind: 'sums', title: 'Checksums', detect, read: readSums }
