import { attributesOf, framesOf, framesTag, pixelTags, wanted, wantedFrames } from './dicom/attributes.ts'
import { openFile } from './dicom/file.ts'
import { framesIn } from './dicom/frames.ts'
import { pictureFrom } from './dicom/picture.ts'
import { DicomProblem } from './dicom/problem.ts'
import { type Samples, samplesOf } from './dicom/samples.ts'
import { tiffOf } from './dicom/tiff.ts'
import { limits } from './limits.ts'

/**
 * DICOM images (PS3.10) as plain pictures: one or several frames, uncompressed, deflated, RLE, JPEG, JPEG-LS and JPEG 2000. What leaves here is
 * pixels as they are meant to be seen, in an uncompressed TIFF of 8 or 16 bits, and nothing else that the file says.
 */
export interface Dicom {
  readonly frames: number
  /** Stored values, for comparison with other readers. @throws DicomProblem */
  samples(frame: number): Promise<Samples>
  /** An encoded picture. @throws DicomProblem */
  picture(frame: number): Promise<Uint8Array>
}

/** @throws DicomProblem */
export function openDicom(bytes: Uint8Array): Dicom {
  const file = openFile(bytes, wanted, (tag) => tag >= pixelTags.float, limits.dicomBytes)
  const a = attributesOf(file.dataSet)
  if (a.frames > limits.dicomFrames) throw new DicomProblem(`DICOM of ${a.frames} frames, more than ${limits.dicomFrames}`)
  if (file.cut) throw new DicomProblem('DICOM that ends before its pixels')
  const tag = file.next + 4 <= file.view.byteLength ? tagAt(file.view, file.next, file.dataSet.encoding.little) : 0
  if (tag === pixelTags.float || tag === pixelTags.double) throw new DicomProblem('floating-point pixels')
  if (tag !== pixelTags.integer) throw new DicomProblem('DICOM without pixels')
  if (a.rows === 0 || a.columns === 0) throw new DicomProblem('DICOM without its number of rows and columns')
  if (a.rows * a.columns > limits.imagePixels) throw new DicomProblem(`DICOM of ${a.rows} x ${a.columns} pixels, more than 64 million`)
  if (a.samples !== 1 && a.samples !== 3) throw new DicomProblem(`DICOM of ${a.samples} channels`)
  const frames = framesIn(file, a)
  const samples = (frame: number) => samplesOf(frames.at(frame), frames.encapsulated, file.syntax, a)
  return {
    frames: a.frames,
    samples,
    picture: async (frame) => tiffOf(pictureFrom(await samples(frame), a, frame)),
  }
}

const tagAt = (view: DataView, at: number, little: boolean): number => view.getUint16(at, little) * 0x10000 + view.getUint16(at + 2, little)

/** Frames that a file declares in its first bytes; null where they do not say. */
export function declaredFrames(head: Uint8Array): number | null {
  try {
    const file = openFile(head, wantedFrames, (tag) => tag > framesTag, limits.dicomBytes)
    return file.cut || file.next + 8 > file.view.byteLength ? null : framesOf(file.dataSet)
  } catch {
    return null
  }
}

/** What stands in the issue of a row. */
export const dicomReason = (error: unknown): string =>
  error instanceof DicomProblem ? error.message : 'DICOM whose parts contradict each other'
