import type { ManifestFormat } from '../../contracts/provenance.ts'

/** In the order in which they are asked: the first that detects a file reads it. */
export const manifestFormats: readonly ManifestFormat[] = []
