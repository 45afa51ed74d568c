import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { DeliveredFile, Delivery, Manifest, ManifestFormat, TrustPolicy } from '../../../src/contracts/provenance.ts'
import { openDelivery } from '../../../src/provenance/delivery.ts'
import { fileAt } from '../../../src/provenance/manifests/lookup.ts'

export const digest = (algorithm: string, content: string | Uint8Array): string => createHash(algorithm).update(content).digest('hex')

export const nobody: TrustPolicy = {
  keys: [],
  certificates: [],
  identities: [],
  trustedRoot: null,
  weakest: 'sha256',
  coverage: 1,
  unlisted: 'report',
  requireSignature: false,
  now: new Date('2026-11-24T00:00:00Z'),
}

/** A folder with these files by path, removed when the test ends. A content that begins with "-> " is a link. */
export function folder(files: Readonly<Record<string, string | Uint8Array>>): string {
  const root = mkdtempSync(join(tmpdir(), 'assay-delivery-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    if (typeof content === 'string' && content.startsWith('-> ')) symlinkSync(content.slice(3), join(root, path))
    else writeFileSync(join(root, path), content)
  }
  return root
}

export interface Delivered {
  readonly delivery: Delivery
  readonly read: (path: string, trust?: TrustPolicy) => Promise<Manifest>
  /** What discovery would ask: by path, by head, and by a closer look. */
  readonly detects: (path: string) => Promise<boolean>
}

export async function deliver(format: ManifestFormat, files: Readonly<Record<string, string | Uint8Array>>): Promise<Delivered> {
  const delivery = await openDelivery(folder(files))
  const at = (path: string): DeliveredFile => {
    const file = fileAt(delivery, path)
    if (!file) throw new Error(`the test has no file ${path}`)
    return file
  }
  return {
    delivery,
    read: (path, trust = nobody) => format.read(at(path), delivery, trust),
    detects: async (path) => {
      const head = () => Buffer.from(files[path] as string | Uint8Array).subarray(0, 4096)
      return format.detect(at(path), head) && ((await format.confirm?.(at(path), delivery)) ?? true)
    },
  }
}

/** What a manifest says, in short: path -> digests, or why there are none. */
export const said = (manifest: Manifest): Record<string, string> =>
  Object.fromEntries(
    manifest.entries.map(({ path, digests, placeholder }) => [
      path,
      digests.map(({ algorithm, hex }) => `${algorithm}:${hex}`).join(' ') ||
        (placeholder === null ? 'none' : `placeholder ${placeholder}`),
    ]),
  )

export const problems = (manifest: Manifest): string[] => manifest.problems.map(({ code, message }) => `${code}: ${message}`)
