import { statSync } from 'node:fs'
import { basename, relative, resolve, sep } from 'node:path'
import type { DeliveredFile, Delivery, Manifest, ManifestFormat, TrustPolicy } from '../contracts/provenance.ts'
import { byPath, openDelivery, readHead } from './delivery.ts'
import { ProvenanceError } from './errors.ts'
import { fileAt } from './manifests/lookup.ts'
import { manifestFormats } from './manifests/registry.ts'

export interface Discovery {
  readonly delivery: Delivery
  /** By file, ascending. */
  readonly manifests: readonly Manifest[]
}

export interface DiscoverOptions {
  readonly signal?: AbortSignal | undefined
  /** Names under which manifests from elsewhere stand in the delivery, by their absolute path; default: their own name. */
  readonly names?: ReadonlyMap<string, string>
  /** False: only what lies in the folder itself. */
  readonly recursive?: boolean
}

const headBytes = 4096

/** Suffixes of what belongs to a manifest and is brought along with it from elsewhere. */
const companions = ['.sig', '.minisig', '.asc', '.sign', '.sigstore', '.sigstore.json', '.pem', '.crt', '.cert', '.bundle']

export async function formatOf(file: DeliveredFile, delivery: Delivery): Promise<ManifestFormat | null> {
  let bytes: Uint8Array | null = null
  const head = (): Uint8Array => {
    bytes ??= readHead(delivery, file.path, headBytes)
    return bytes
  }
  for (const format of manifestFormats)
    if (format.detect(file, head) && (!format.confirm || (await format.confirm(file, delivery)))) return format
  return null
}

/** The first kind that a file may be, without the closer look: for one that the user calls a manifest. */
function takenFor(file: DeliveredFile, delivery: Delivery): ManifestFormat | null {
  return manifestFormats.find((format) => format.detect(file, () => readHead(delivery, file.path, headBytes))) ?? null
}

function bytesOf(path: string): number | null {
  const info = statSync(path, { throwIfNoEntry: false })
  return info?.isFile() ? info.size : null
}

const notThere = (given: string): ProvenanceError =>
  new ProvenanceError(
    'unknown-manifest',
    `${given}: there is no such manifest`,
    { file: given },
    'name it as it lies in the delivery, or by its path',
  )

/** The delivery with the manifests that the user brings, and what of them lies in it already. */
function bring(
  delivery: Delivery,
  given: readonly string[],
  names: ReadonlyMap<string, string>,
): { readonly delivery: Delivery; readonly paths: readonly string[] } {
  const outside = new Map<string, string>()
  const added: DeliveredFile[] = []
  const paths = given.map((one) => {
    const asRelative = one.split(sep).join('/')
    if (fileAt(delivery, asRelative)) return asRelative
    const absolute = resolve(one)
    const inside = relative(delivery.root, absolute).split(sep).join('/')
    if (fileAt(delivery, inside)) return inside
    const bytes = bytesOf(absolute)
    if (bytes === null) throw notThere(one)
    const name = names.get(absolute) ?? basename(absolute)
    if (outside.has(name)) throw new ProvenanceError('bad-option', `two manifests from elsewhere are called ${name}`, { file: one })
    outside.set(name, absolute)
    added.push({ path: name, bytes })
    for (const suffix of companions) {
      const size = bytesOf(absolute + suffix)
      if (size === null) continue
      outside.set(name + suffix, absolute + suffix)
      added.push({ path: name + suffix, bytes: size })
    }
    return name
  })
  if (outside.size === 0) return { delivery, paths }
  const files = [...delivery.files.filter(({ path }) => !outside.has(path)), ...added].sort(byPath)
  return { delivery: { ...delivery, files, outside }, paths }
}

/**
 * The manifests of a delivery, found by looking and read, with their signatures checked.
 *
 * @param root a folder, or one file; see also `discoverFile`.
 * @param only manifests, relative to the root or by path (then also from elsewhere): these and no others count. False: none.
 * @throws {ProvenanceError} `not-found`, `unreadable`, `too-large`, `unknown-manifest`, `bad-key`, `interrupted`
 */
export async function discover(
  root: string,
  trust: TrustPolicy,
  only?: readonly string[] | false | null,
  { signal, names = new Map(), recursive = true }: DiscoverOptions = {},
): Promise<Discovery> {
  const opened = await openDelivery(root, { recursive, ...(signal ? { signal } : {}) })
  if (only === false) return { delivery: opened, manifests: [] }
  const { delivery, paths } = bring(opened, only ?? [], names)
  const manifests: Manifest[] = []
  const interrupted = (): void => {
    if (signal?.aborted) throw new ProvenanceError('interrupted', 'interrupted')
  }
  if (only) {
    for (const path of paths) {
      interrupted()
      const file = fileAt(delivery, path)
      const format = file && ((await formatOf(file, delivery)) ?? takenFor(file, delivery))
      if (!file || !format)
        throw new ProvenanceError(
          'unknown-manifest',
          `${path} is not a manifest of a known kind`,
          { file: path },
          'see docs/provenance.md for the kinds',
        )
      manifests.push(await format.read(file, delivery, trust))
    }
  } else {
    for (const file of delivery.files) {
      interrupted()
      const format = await formatOf(file, delivery)
      if (format) manifests.push(await format.read(file, delivery, trust))
    }
  }
  return { delivery, manifests: manifests.sort((a, b) => (a.file < b.file ? -1 : 1)) }
}
