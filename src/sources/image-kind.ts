import { hasMark, startsLikeDataSet } from './dicom/file.ts'

export type ImageKind = 'png' | 'jpeg' | 'webp' | 'tiff' | 'dicom'

const starts = (b: Uint8Array, ...bytes: number[]): boolean => bytes.every((v, i) => b[i] === v)

/** By magic bytes; null for anything else. */
export function imageKind(b: Uint8Array): ImageKind | null {
  if (starts(b, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return 'png'
  if (starts(b, 0xff, 0xd8, 0xff)) return 'jpeg'
  if (starts(b, 0x52, 0x49, 0x46, 0x46) && starts(b.subarray(8), 0x57, 0x45, 0x42, 0x50)) return 'webp'
  if (starts(b, 0x49, 0x49, 0x2a, 0) || starts(b, 0x4d, 0x4d, 0, 0x2a)) return 'tiff'
  return hasMark(b) || startsLikeDataSet(b) ? 'dicom' : null
}
