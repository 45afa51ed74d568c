import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

const debian = '/usr/lib/postgresql'

function binaries(): string {
  const found = existsSync(debian)
    ? readdirSync(debian)
        .map((v) => join(debian, v, 'bin'))
        .filter((d) => existsSync(join(d, 'initdb')))
        .sort()
    : []
  const folder = process.env.POSTGRES_BIN ?? found.at(-1)
  if (folder === undefined) throw new Error('these tests need PostgreSQL: apt-get install postgresql, or POSTGRES_BIN=/path/to/bin')
  return folder
}

/** PostgreSQL refuses to run as root: then the user of its package runs it. */
function owner(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

export interface Postgres {
  /** A connection string; by default of the superuser. */
  url(user?: string, password?: string): string
  sql(text: string, values?: unknown[]): Promise<pg.QueryResult>
  start(): Promise<void>
  /** At once, as a crash would. */
  stop(): Promise<void>
  destroy(): Promise<void>
}

/** A server of its own in a temporary folder, on a socket and a port of the loopback. */
export async function startPostgres(): Promise<Postgres> {
  const bin = binaries()
  const who = owner()
  const folder = mkdtempSync(join(tmpdir(), 'assay-pg-'))
  chmodSync(folder, 0o755)
  if (who.uid !== undefined) chownSync(folder, who.uid, who.gid as number)
  const data = join(folder, 'data')
  const secret = join(folder, 'password')
  writeFileSync(secret, 'owner-secret\n', { mode: 0o644 })
  const args = ['-D', data, '-A', 'scram-sha-256', '-U', 'owner', '-E', 'UTF8', '--no-sync', `--pwfile=${secret}`]
  execFileSync(join(bin, 'initdb'), args, { ...who, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const port = await freePort()
  const url = (user = 'owner', password = 'owner-secret') => `postgresql://${user}:${password}@127.0.0.1:${port}/postgres`
  let child: ChildProcess | null = null
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url() })
    client.on('error', () => {})
    await client.connect()
    return client
  }
  const server: Postgres = {
    url,
    async sql(text, values) {
      const client = await connect()
      try {
        return await client.query(text, values)
      } finally {
        await client.end()
      }
    },
    async start() {
      const args = [
        '-D',
        data,
        '-k',
        folder,
        '-p',
        String(port),
        '-c',
        'listen_addresses=127.0.0.1',
        '-c',
        'fsync=off',
        '-c',
        'max_connections=20',
      ]
      child = spawn(join(bin, 'postgres'), args, { ...who, cwd: folder, stdio: 'ignore' })
      for (let i = 0; ; i++) {
        try {
          await (await connect()).end()
          return
        } catch (e) {
          if (i > 150) throw e
          await sleep(100)
        }
      }
    },
    async stop() {
      const running = child
      if (!running) return
      child = null
      const ended = new Promise((resolve) => running.once('exit', resolve))
      running.kill('SIGQUIT')
      await ended
    },
    async destroy() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  await server.start()
  return server
}
