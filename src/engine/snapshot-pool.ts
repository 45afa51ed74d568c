import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { packageRoot } from '../contracts/package-root.ts'
import { type ShardLeaves, type ShardOrder, takeShard } from './snapshot-shard.ts'

/** Makes the leaves of shards, in this thread or in worker threads. */
export interface ShardPool {
  readonly width: number
  run(order: ShardOrder, tick: (rows: number) => void, signal: AbortSignal | undefined): Promise<ShardLeaves>
  close(): Promise<void>
}

/** Worker threads load compiled code: from the sources (in tests) everything runs in this thread. */
const compiled = import.meta.url.endsWith('.js')

export async function openShardPool(workers: number): Promise<ShardPool> {
  if (workers <= 1 || !compiled) return { width: 1, run: takeShard, close: async () => {} }
  const { Piscina } = await import('piscina')
  const pool = new Piscina({
    filename: join(packageRoot, 'dist/engine/snapshot-worker.js'),
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: 1,
  })
  return {
    width: workers,
    async run(order, tick, signal) {
      const { port1, port2 } = new MessageChannel()
      port1.on('message', tick)
      try {
        return (await pool.run(
          { order, port: port2 },
          { transferList: [port2], name: 'work', ...(signal ? { signal } : {}) },
        )) as ShardLeaves
      } finally {
        port1.close()
      }
    },
    close: () => pool.destroy(),
  }
}
