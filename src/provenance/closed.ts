import type { Manifest, ManifestProblem } from '../contracts/provenance.ts'
import type { Discovery } from './discover.ts'
import { isTrusted } from './grade.ts'
import { filesUnder } from './manifests/lookup.ts'
import { namedFiles } from './named.ts'
import { foldName } from './paths.ts'

const isIgnored = (path: string, ignored: readonly string[]): boolean =>
  ignored.some((one) => path === one || (one.endsWith('/') && path.startsWith(one)))

const trustedFirst = (a: Manifest, b: Manifest): number => Number(isTrusted(b)) - Number(isTrusted(a)) || (a.file < b.file ? -1 : 1)

/** Files in a folder that a manifest closes, which it neither names nor leaves out: whatever others say of them. */
export function strangers(discovery: Discovery): Map<string, Manifest> {
  const found = new Map<string, Manifest>()
  for (const manifest of [...discovery.manifests].sort(trustedFirst)) {
    if (manifest.closed === null) continue
    const folder = manifest.closed.replace(/\/+$/, '')
    const known = new Set([...namedFiles({ delivery: discovery.delivery, manifests: [manifest] }).keys(), ...manifest.own])
    for (const { path } of filesUnder(discovery.delivery, folder === '' ? '' : `${folder}/`)) {
      if (known.has(path) || discovery.delivery.outside.has(path) || isIgnored(path, manifest.ignored)) continue
      if (!found.has(path)) found.set(path, manifest)
    }
  }
  return found
}

/** Names of one manifest that one file would bear on a disk without case or with another normal form. */
export function collisions(manifest: Manifest): ManifestProblem[] {
  const seen = new Map<string, string>()
  const problems: ManifestProblem[] = []
  for (const { path, place } of manifest.entries) {
    const folded = foldName(path)
    const other = seen.get(folded)
    if (other === undefined) seen.set(folded, path)
    else if (other !== path && problems.length < 100)
      problems.push({
        code: 'hostile-path',
        message: `${manifest.file} names ${other} and ${path}, which are one name where case or Unicode normal forms do not count.`,
        place,
        invalid: true,
      })
  }
  return problems
}
