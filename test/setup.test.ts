import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'assay-setup-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Locked {
  readonly version: string
  readonly optionalDependencies?: Readonly<Record<string, string>>
}
const packages = (JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, Locked> }).packages

describe('package-lock.json', () => {
  it('names the packages of every platform, so that npm ci accepts it', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => path !== '' && !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`],
      ),
    )
    expect(missing, 'node scripts/complete-lock.mjs adds them').toEqual([])
  })

  it('has one ONNX Runtime', () => {
    expect(Object.keys(packages).filter((path) => path.endsWith('node_modules/onnxruntime-node'))).toEqual([
      'node_modules/onnxruntime-node',
    ])
  })

  it('names no registry', () => {
    expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toContain('"resolved"')
  })
})

describe('a clone without packages', () => {
  const clone = (name: string): string => {
    const path = join(folder, name)
    for (const part of ['scripts', 'package.json', 'package-lock.json', '.npmrc'])
      cpSync(join(root, part), join(path, part), { recursive: true })
    return path
  }
  const start = (path: string, env: NodeJS.ProcessEnv = {}) =>
    spawnSync(process.execPath, ['scripts/start.mjs'], { cwd: path, encoding: 'utf8', env: { ...process.env, npm_execpath: '', ...env } })

  it('says what is missing where no registry can be reached', () => {
    const { status, stderr } = start(clone('offline'), {
      npm_config_registry: 'http://127.0.0.1:9/',
      npm_config_cache: join(folder, 'empty-cache'),
      npm_config_fetch_retries: '0',
    })
    expect(status).toBe(1)
    expect(stderr).toContain('The package registry could not be reached')
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  it('says so where the build fails', () => {
    const path = clone('broken')
    for (const part of ['tsconfig.json', 'tsconfig.build.json']) cpSync(join(root, part), join(path, part))
    symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'), 'junction')
    mkdirSync(join(path, 'src'))
    writeFileSync(join(path, 'src/index.ts'), "export const answer: number = 'forty-two'\n")
    const { status, stderr } = start(path)
    expect(status).toBe(1)
    expect(stderr).toContain('The build failed')
    expect(stderr).toContain('src/index.ts')
  })
})
