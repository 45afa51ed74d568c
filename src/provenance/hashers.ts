import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { DigestAlgorithm } from '../contracts/provenance.ts'
import { ProvenanceError } from './errors.ts'

export interface Hasher {
  update(bytes: Buffer): void
  /** Lower case. Ends the hasher. */
  hex(): string
}

/** OpenSSL's names. */
const openssl: Readonly<Record<Exclude<DigestAlgorithm, 'crc32' | 'blake3'>, string>> = {
  md5: 'md5',
  sha1: 'sha1',
  sha224: 'sha224',
  sha256: 'sha256',
  sha384: 'sha384',
  sha512: 'sha512',
  'sha3-256': 'sha3-256',
  'sha3-384': 'sha3-384',
  'sha3-512': 'sha3-512',
  blake2b: 'blake2b512',
}

type Maker = (algorithm: DigestAlgorithm) => Hasher

function ofCrc32(): Hasher {
  let value = 0
  return {
    update: (bytes) => {
      value = crc32(bytes, value)
    },
    hex: () => value.toString(16).padStart(8, '0'),
  }
}

async function loadBlake3(): Promise<() => Hasher> {
  const { Blake3Hasher } = await import('@napi-rs/blake-hash').catch(() => {
    throw new ProvenanceError(
      'unsupported',
      'a manifest names BLAKE3 digests, and this machine has no library for them',
      {},
      'install the package @napi-rs/blake-hash',
    )
  })
  return () => {
    const hasher = new Blake3Hasher()
    return {
      update: (bytes) => {
        hasher.update(bytes)
      },
      hex: () => hasher.digest('hex'),
    }
  }
}

/** What makes hashers of these algorithms. */
export async function hashersFor(algorithms: Iterable<DigestAlgorithm>): Promise<Maker> {
  const blake3 = [...algorithms].includes('blake3') ? await loadBlake3() : null
  return (algorithm) => {
    if (algorithm === 'crc32') return ofCrc32()
    if (algorithm === 'blake3') {
      if (!blake3) throw new Error('blake3 was not asked for')
      return blake3()
    }
    const hash = createHash(openssl[algorithm])
    return {
      update: (bytes) => {
        hash.update(bytes)
      },
      hex: () => hash.digest('hex'),
    }
  }
}
