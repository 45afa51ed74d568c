import { basename, dirname, relative, resolve, sep } from 'node:path'
import type { DeliveredFile, Manifest, TrustPolicy } from '../contracts/provenance.ts'
import { openDelivery } from './delivery.ts'
import { type DiscoverOptions, type Discovery, discover, formatOf } from './discover.ts'
import { ProvenanceError } from './errors.ts'
import { locate } from './named.ts'

/** Statements about other things, that need not lie beside them. */
const attestations: readonly Manifest['kind'][] = ['in-toto', 'sigstore']

const keep = ({ delivery, manifests }: Discovery, paths: ReadonlySet<string>, kept: readonly Manifest[] = manifests): Discovery => ({
  delivery: {
    ...delivery,
    files: delivery.files.filter(({ path }) => paths.has(path)),
    problems: delivery.problems.filter(({ place }) => place.file !== undefined && paths.has(place.file)),
  },
  manifests: kept,
})

/** A manifest alone: the files that it names, where it lies. What else lies there counts only where it claims to name all. */
async function ofManifest(file: string, trust: TrustPolicy, options: DiscoverOptions): Promise<Discovery> {
  const found = await discover(dirname(file), trust, [basename(file)], options)
  const [manifest] = found.manifests
  if (!manifest) return found
  const named = manifest.entries.flatMap(({ path }) => locate(found.delivery, path)?.path ?? [])
  const kept = attestations.includes(manifest.kind) && named.length === 0 ? { ...manifest, entries: [] } : manifest
  return manifest.closed === null ? keep(found, new Set([...named, ...manifest.own]), [kept]) : found
}

/** Only what is said of this one file. A bundle whose signature does not hold says nothing, and is kept for that. */
function about(found: Discovery, file: DeliveredFile, given: boolean): Discovery {
  const manifests = found.manifests.flatMap((manifest): Manifest[] => {
    const entries = manifest.entries.filter(({ path }) => locate(found.delivery, path)?.path === file.path)
    return entries.length > 0 || given || manifest.file.startsWith(`${file.path}.`)
      ? [{ ...manifest, entries, closed: null, facts: [] }]
      : []
  })
  return keep(found, new Set([file.path, ...manifests.flatMap(({ own }) => own), ...found.delivery.outside.keys()]), manifests)
}

/** Where all of the manifests lie in one folder that the file lies below: their names start there. */
function folderAround(file: string, only: readonly string[], { names }: DiscoverOptions): string | null {
  const [folder, ...others] = new Set(only.map((one) => dirname(resolve(one))))
  if (folder === undefined || others.length > 0 || only.some((one) => names?.has(resolve(one)))) return null
  return dirname(file).startsWith(folder.endsWith(sep) ? folder : folder + sep) ? folder : null
}

/**
 * One file to verify: a manifest (then the files that it names, where it lies), or any other file, by `only` or by the
 * manifests that lie in its folder and name it. An attestation none of whose subjects lie beside it is judged by its
 * signature alone: its manifest has no entries then.
 *
 * @throws {ProvenanceError} as `discover`
 */
export async function discoverFile(
  file: string,
  trust: TrustPolicy,
  only: readonly string[] | null,
  options: DiscoverOptions = {},
): Promise<Discovery> {
  const absolute = resolve(file)
  const single = await openDelivery(absolute)
  const [self] = single.files
  if (!self) return { delivery: single, manifests: [] }
  if (only === null && (await formatOf(self, single))) return ofManifest(absolute, trust, options)
  if (only !== null) {
    const folder = folderAround(absolute, only, options)
    const found = await discover(folder ?? absolute, trust, only, options)
    const path = relative(folder ?? dirname(absolute), absolute)
      .split(sep)
      .join('/')
    const told = about(found, { ...self, path }, true)
    const silent = told.manifests.find(({ entries, signatures }) => entries.length === 0 && !signatures.some((s) => s.status === 'invalid'))
    if (silent)
      throw new ProvenanceError(
        'unknown-manifest',
        `${silent.file} does not name ${path}`,
        { file: silent.file },
        'give the manifest of this file, or verify the folder that it speaks of',
      )
    return told
  }
  return about(await discover(dirname(absolute), trust, null, { ...options, recursive: false }), self, false)
}
