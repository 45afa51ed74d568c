import type { Digest } from '../../contracts/provenance.ts'

const forgeable: readonly Digest['algorithm'][] = ['crc32', 'md5', 'sha1']

/**
 * The size that an entry states, where publishers write sizes by hand and get them wrong (MLCommons' own Titanic record gives three files
 * the size of one): beside a digest that cannot be forged it says nothing of the file, so it is a problem of the manifest and not of the file.
 * A file that is not there counts with it.
 */
export const sizeBeside = (digests: readonly Digest[], bytes: number | null, there: boolean): number | null =>
  there && digests.some(({ algorithm }) => !forgeable.includes(algorithm)) ? null : bytes
