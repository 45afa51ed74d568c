// Packages and build alone, for a job that audits its own data: node scripts/install.mjs
import { script, setUpProgram } from './setup.mjs'

await script(async () => {
  await setUpProgram()
  return 0
})
