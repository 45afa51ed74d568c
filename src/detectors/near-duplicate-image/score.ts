import { hash } from 'node:crypto'
import type { Batch } from '../../contracts/data.ts'
import type { Scored } from '../../contracts/detector.ts'
import { pixelsOf } from '../../contracts/pixel-rows.ts'
import { hashBytes, imageHasher } from '../../math/image-hash.ts'
import { type ImageClusters, leastLikeness } from '../../statistics/image-copies/cluster.ts'
import { likeness, thumbMaker } from '../../statistics/image-copies/thumb.ts'
import { pixelDigester } from '../../statistics/image-copies.ts'

export interface Judgement extends Scored {
  /** Cluster that the record is a copy in, -1 for none. */
  readonly cluster: Int32Array
  /** 1 where its pixels are those of a picture that leads. */
  readonly exact: Uint8Array
}

/** Stands for a cluster in flags and findings: the same in every run that finds the same leader. */
export const nameOf = (c: ImageClusters, cluster: number): string =>
  `picture ${hash('sha256', c.thumbs.subarray(cluster * c.thumb, (cluster + 1) * c.thumb), 'hex').slice(0, 8)}`

const latin = (bytes: Uint8Array, at: number): string => Buffer.from(bytes.buffer, bytes.byteOffset + at, hashBytes).toString('latin1')

/** A record's likeness with the picture that leads the cluster of its hash, 0 where it is no copy of it: checked on its own pixels. */
export function copyScorer(clusters: ImageClusters): (batch: Batch) => Judgement {
  const byHash = new Map(Array.from(clusters.leaderOf, (leader, i) => [latin(clusters.hashes, i * hashBytes), leader]))
  const names = Array.from({ length: clusters.blank.length }, (_, i) => nameOf(clusters, i))
  return (batch) => {
    const n = batch.numRows
    const score = new Float64Array(n)
    const cluster = new Int32Array(n).fill(-1)
    const exact = new Uint8Array(n)
    const pixels = pixelsOf(batch)
    if (!pixels) score.fill(Number.NaN)
    if (pixels && names.length > 0) {
      const hasher = imageHasher(pixels)
      const thumbs = thumbMaker(pixels)
      const digest = pixelDigester()
      const own = new Uint8Array(16)
      const code = new Uint8Array(hashBytes)
      const thumb = new Uint8Array(thumbs.size)
      const size = pixels.height * pixels.width * pixels.channels
      for (let i = 0; i < n; i++) {
        const luma = hasher.luma(pixels.data, i * size)
        hasher.hash(luma, code, 0)
        const found = byHash.get(latin(code, 0))
        if (found === undefined) continue
        thumbs.of(luma, thumb)
        const alike = likeness(thumb, clusters.thumbs.subarray(found * clusters.thumb, (found + 1) * clusters.thumb))
        if (alike < leastLikeness) continue
        digest.bytes(pixels.data.subarray(i * size, (i + 1) * size), own, 0)
        cluster[i] = clusters.clusterOf[found] as number
        exact[i] = Number(Buffer.compare(own, clusters.digests.subarray(found * 16, (found + 1) * 16)) === 0)
        score[i] = Math.min(1, alike)
      }
    }
    return { score, cluster, exact, group: usedNames(cluster, names) }
  }
}

function usedNames(cluster: Int32Array, names: readonly string[]): { readonly codes: Int32Array; readonly values: readonly string[] } {
  const used = [...new Set(cluster)].filter((c) => c >= 0).sort((a, b) => a - b)
  const code = new Map(used.map((c, i) => [c, i]))
  return { codes: cluster.map((c) => code.get(c) ?? -1), values: used.map((c) => names[c] as string) }
}
