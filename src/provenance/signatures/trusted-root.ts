import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import type { TrustPolicy } from '../../contracts/provenance.ts'
import { ProvenanceError } from '../errors.ts'

const maxBytes = 4 << 20

const refuse = (problem: string): ProvenanceError =>
  new ProvenanceError('bad-key', `the trusted root ${problem}`, {}, 'a trusted_root.json as sigstore publishes it through TUF')

/** A TimeRange without a start would be valid for ever: its start is not optional. */
function checkRanges(json: unknown): void {
  const lists = ['tlogs', 'ctlogs', 'certificateAuthorities', 'timestampAuthorities'] as const
  for (const name of lists) {
    const entries = (json as Record<string, unknown>)[name]
    if (entries === undefined) continue
    if (!Array.isArray(entries)) throw refuse(`has no list of ${name}`)
    for (const entry of entries as { validFor?: unknown; publicKey?: { validFor?: unknown } }[]) {
      const range = name.endsWith('logs') ? entry?.publicKey?.validFor : entry?.validFor
      if (range !== undefined && range !== null && !Number.isFinite(Date.parse(String((range as { start?: unknown }).start))))
        throw refuse(`says not from when on one of its ${name} is valid`)
    }
  }
}

/** A trusted root from its JSON. Throws `bad-key` where it is malformed. */
export async function parseTrustedRoot(text: string): Promise<TrustedRoot> {
  if (text.length > maxBytes) throw refuse('is too large')
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw refuse('is not JSON')
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw refuse('is no JSON object')
  checkRanges(json)
  try {
    return TrustedRoot.fromJSON(json)
  } catch {
    throw refuse('cannot be read')
  }
}

let embedded: Promise<TrustedRoot> | null = null

/** That of the public instance, as it was when the package of sigstore's TUF client was made. */
async function embeddedRoot(): Promise<TrustedRoot> {
  const path = createRequire(import.meta.url).resolve('@sigstore/tuf/seeds.json')
  const seeds = JSON.parse(await readFile(path, 'utf8')) as Record<string, { targets: Record<string, string> }>
  const target = seeds['https://tuf-repo-cdn.sigstore.dev']?.targets['trusted_root.json']
  if (target === undefined) throw refuse('that comes with the program is missing')
  return parseTrustedRoot(Buffer.from(target, 'base64').toString('utf8'))
}

const loaded = new WeakMap<TrustPolicy, Promise<TrustedRoot>>()

/** The policy's trusted root, or that of the public instance that comes with the package. Nothing is fetched. */
export function loadTrustedRoot(trust: TrustPolicy): Promise<TrustedRoot> {
  const known = loaded.get(trust)
  if (known) return known
  embedded ??= trust.trustedRoot === null ? embeddedRoot() : null
  const root = trust.trustedRoot === null ? (embedded as Promise<TrustedRoot>) : parseTrustedRoot(trust.trustedRoot)
  loaded.set(trust, root)
  return root
}
