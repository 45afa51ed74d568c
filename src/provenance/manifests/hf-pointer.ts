import type { DeliveredFile, Delivery, Manifest, ManifestFormat } from '../../contracts/provenance.ts'
import { isCacheBlob, isDownloadMetadata, opensCache, readCache, readDownloads } from './hf-cache.ts'
import { holdsListing, isListing, readListing } from './hf-listing.ts'
import { isPointer, readPointer } from './lfs-pointer.ts'

const text = (head: Uint8Array): string => Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1')

function detect(file: DeliveredFile, head: () => Uint8Array): boolean {
  if (isCacheBlob(file.path) || isDownloadMetadata(file.path)) return true
  if (/\.json$/i.test(file.path) && isListing(text(head()))) return true
  return file.bytes < 1024 && isPointer(text(head()))
}

async function confirm(file: DeliveredFile, delivery: Delivery): Promise<boolean> {
  if (isCacheBlob(file.path) || isDownloadMetadata(file.path)) return opensCache(file, delivery)
  return file.bytes < 1024 || holdsListing(file, delivery)
}

async function read(file: DeliveredFile, delivery: Delivery): Promise<Manifest> {
  if (isCacheBlob(file.path)) return readCache(file, delivery)
  if (isDownloadMetadata(file.path)) return readDownloads(file, delivery)
  return /\.json$/i.test(file.path) && file.bytes >= 1024 ? readListing(file, delivery) : readEither(file, delivery)
}

/** A small file may be a pointer or a short listing. */
async function readEither(file: DeliveredFile, delivery: Delivery): Promise<Manifest> {
  const pointer = await readPointer(file, delivery)
  return pointer ?? readListing(file, delivery)
}

/**
 * What Git LFS and the Hugging Face hub say of files: pointers that stand for the content or beside it, the hub's cache, the
 * notes of a download into a folder, and listings of a repository as the hub's API gives them.
 */
export const hfPointer: ManifestFormat = { kind: 'hf-pointer', title: 'Git LFS pointer', detect, confirm, read }
