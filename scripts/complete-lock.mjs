// Adds to package-lock.json the packages of other platforms that npm left out because its registry does not carry them: `npm ci`
// refuses a lock file without them. Run it after `npm install`; on a full registry it finds nothing to add.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.mjs'

const known = {
  os: ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'],
  cpu: ['arm64', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'arm'],
}
const file = join(root, 'package-lock.json')
const lock = JSON.parse(readFileSync(file, 'utf8'))
const { '': project, ...packages } = lock.packages
const added = {}
for (const [path, entry] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (packages[`node_modules/${name}`] || packages[`${path}/node_modules/${name}`]) continue
    const words = name.split('/').at(-1).split('-')
    const [os, cpu] = [known.os, known.cpu].map((names) => names.find((word) => words.includes(word)))
    if (!os || !cpu) throw new Error(`${name} does not say for which platform it is`)
    const libc =
      os !== 'linux' ? null : words.some((w) => w.startsWith('musl')) ? 'musl' : words.some((w) => w.startsWith('gnu')) ? 'glibc' : null
    added[`node_modules/${name}`] = {
      version,
      cpu: [cpu],
      ...(entry.dev ? { dev: true } : {}),
      ...(libc ? { libc: [libc] } : {}),
      license: entry.license,
      optional: true,
      os: [os],
    }
  }
}
const all = Object.entries({ ...packages, ...added }).sort(([a], [b]) => a.localeCompare(b, 'en'))
writeFileSync(file, `${JSON.stringify({ ...lock, packages: { '': project, ...Object.fromEntries(all) } }, null, 2)}\n`)
console.log(`${Object.keys(added).length} packages of other platforms added to package-lock.json`)
