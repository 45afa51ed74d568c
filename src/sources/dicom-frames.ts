import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Dicom, declaredFrames, dicomReason, openDicom } from './dicom.ts'
import { readHeadOf } from './files.ts'
import { imageKind } from './image-kind.ts'
import { limits } from './limits.ts'

const headBytes = 1 << 16

/**
 * Frames of a file that stand for records of their own: 1 for every other picture, for what does not say, and for a number that is too large, whose
 * one record is rejected when it is read.
 */
export async function framesOfFile(path: string): Promise<number> {
  const head = await readHeadOf(path, headBytes).catch(() => new Uint8Array(0))
  if (imageKind(head) !== 'dicom') return 1
  const declared = declaredFrames(head) ?? (await framesOfWhole(path))
  return declared <= limits.dicomFrames ? declared : 1
}

/** Where private elements of more than 64 KiB come before the number of frames. */
async function framesOfWhole(path: string): Promise<number> {
  const found = await stat(path).catch(() => null)
  if (!found?.isFile() || found.size <= headBytes || found.size > limits.dicomBytes) return 1
  return declaredFrames(await readFile(path)) ?? 1
}

/** Frames of DICOM files in a folder as pictures, or why there is none; the last file is kept open, since its frames come one behind the other. */
export function frameReader(root: string): (id: string, frame: number) => Promise<Uint8Array | string> {
  let current: { readonly id: string; readonly dicom: Dicom | string } | null = null
  return async (id, frame) => {
    if (current?.id !== id) current = { id, dicom: await openFrom(join(root, id)) }
    const { dicom } = current
    if (typeof dicom === 'string') return dicom
    return dicom.picture(frame).catch(dicomReason)
  }
}

async function openFrom(path: string): Promise<Dicom | string> {
  const found = await stat(path).catch(() => null)
  if (!found?.isFile()) return 'was there when the folder was listed and cannot be read now'
  if (found.size > limits.dicomBytes) return `DICOM of ${found.size} bytes, more than ${limits.dicomBytes}`
  try {
    return openDicom(await readFile(path))
  } catch (error) {
    return dicomReason(error)
  }
}
