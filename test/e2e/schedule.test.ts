import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { root } from './program.ts'
import { csv, records } from './records.ts'

const folder = join(root, 'pipelines/schedule')
const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
const night = '/opt/assay/pipelines/schedule/night.sh'
const rows = records(300, 4)

/** A store and its pipeline file, as the examples expect them under /etc and /var. */
function place() {
  const home = mkdtempSync(join(tmpdir(), 'assay-night-'))
  mkdirSync(join(home, 'etc'))
  writeFileSync(join(home, 'store.csv'), csv(rows))
  writeFileSync(
    join(home, 'etc/pipeline.yaml'),
    `version: 1\nextends: preset:scheduled-audit\nsources: [{ path: ../store.csv, columns: { id: id, label: label, source: source }, features: [x0, x1, x2, x3, x4, x5] }]\nhistory: { path: ../var/history.duckdb }\ngate: { max-flagged: 1 }\nreport: { formats: [json] }\n`,
  )
  return home
}
const local = (text: string, home: string): string =>
  text.replaceAll('/opt/assay', root).replaceAll('/etc/assay', join(home, 'etc')).replaceAll('/var/lib/assay', join(home, 'var'))
const env = { ...process.env, ASSAY: `node ${root}/dist/cli/bin.js`, NO_COLOR: '1' }
const runNight = (home: string, ...more: string[]) =>
  spawnSync('bash', [local(night, home), join(home, 'etc/pipeline.yaml'), join(home, 'var'), '--only', 'label-flip', ...more], {
    encoding: 'utf8',
    env,
  })
const last = (home: string): string => readFileSync(join(home, 'var/last'), 'utf8').trim()

interface CronJob {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly schedule: string
    readonly concurrencyPolicy: string
    readonly jobTemplate: {
      readonly spec: {
        readonly podFailurePolicy: {
          readonly rules: readonly {
            readonly action: string
            readonly onExitCodes: { readonly containerName: string; readonly values: readonly number[] }
          }[]
        }
        readonly template: {
          readonly spec: {
            readonly restartPolicy: string
            readonly volumes: readonly { readonly name: string }[]
            readonly containers: readonly {
              readonly name: string
              readonly image: string
              readonly command: readonly string[]
              readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
            }[]
          }
        }
      }
    }
  }
}

describe('the examples for schedulers', () => {
  test('systemd: the units verify, and the timer starts the service', () => {
    const home = place()
    for (const unit of ['assay.service', 'assay.timer']) writeFileSync(join(home, unit), local(read(unit), home))
    const service = read('assay.service')
    expect(service).toMatch(new RegExp(`^ExecStart=${night} /etc/assay/pipeline.yaml /var/lib/assay$`, 'm'))
    expect(read('assay.timer')).toMatch(/^OnCalendar=\S+ \S+$/m)
    const verified = spawnSync('systemd-analyze', ['verify', join(home, 'assay.timer'), join(home, 'assay.service')], { encoding: 'utf8' })
    // Where there is no systemd, the keys that it would miss are looked for.
    if (verified.error) for (const key of ['Type=oneshot', '[Unit]', '[Service]', 'StateDirectory=assay']) expect(service).toContain(key)
    else expect([verified.status, verified.stderr.split('\n').filter((l) => l.includes(home))]).toEqual([0, []])
  })

  test('Kubernetes: the fields that a CronJob needs, mounts that exist, and no retry of a failed gate', () => {
    const job = parse(read('cronjob.yaml')) as CronJob
    expect([job.apiVersion, job.kind, job.spec.concurrencyPolicy]).toEqual(['batch/v1', 'CronJob', 'Forbid'])
    expect(job.spec.schedule).toMatch(/^(\S+ ){4}\S+$/)
    const { podFailurePolicy, template } = job.spec.jobTemplate.spec
    const [container] = template.spec.containers
    expect(template.spec.restartPolicy).toBe('Never')
    expect(podFailurePolicy.rules[0]).toMatchObject({
      action: 'FailJob',
      onExitCodes: { containerName: container?.name, values: [1, 3, 4] },
    })
    expect(container?.command).toEqual([night, '/etc/assay/pipeline.yaml', '/var/lib/assay'])
    const volumes = template.spec.volumes.map((v) => v.name)
    for (const mount of container?.volumeMounts ?? []) expect(volumes).toContain(mount.name)
    expect(container?.image).toMatch(/:\d/)
  })

  test('Airflow: the file compiles, makes one DAG, and its task runs a night; a failed gate is not tried again', () => {
    const home = place()
    const stub = join(home, 'stub/airflow')
    mkdirSync(join(stub, 'operators'), { recursive: true })
    writeFileSync(
      join(stub, '__init__.py'),
      'made = []\nclass DAG:\n    def __init__(self, **given): self.given = given\n    def __enter__(self): made.append(self.given); return self\n    def __exit__(self, *_): return False\n',
    )
    writeFileSync(join(stub, 'exceptions.py'), 'class AirflowFailException(Exception): pass\n')
    writeFileSync(join(stub, 'operators/__init__.py'), '')
    writeFileSync(
      join(stub, 'operators/python.py'),
      'tasks = []\nclass PythonOperator:\n    def __init__(self, **given): tasks.append(given)\n',
    )
    writeFileSync(join(home, 'assay_nightly.py'), local(read('assay_nightly.py'), home))
    const check = [
      'import airflow, airflow.operators.python as python, assay_nightly',
      'from airflow.exceptions import AirflowFailException',
      "assert [d['dag_id'] for d in airflow.made] == ['assay_nightly'] and airflow.made[0]['max_active_runs'] == 1",
      "task = python.tasks[0]['python_callable']",
      'task()',
      "assay_nightly.COMMAND = ['bash', '-c', 'exit 1']",
      'try: task()',
      "except AirflowFailException as e: assert 'exit code 1' in str(e)",
      'else: raise SystemExit(9)',
      "assay_nightly.COMMAND = ['bash', '-c', 'exit 2']",
      'try: task()',
      'except RuntimeError: pass',
      'else: raise SystemExit(9)',
    ].join('\n')
    const ran = spawnSync('python3', ['-c', check], {
      cwd: home,
      encoding: 'utf8',
      env: { ...env, PYTHONPATH: `${join(home, 'stub')}:${home}`, PYTHONDONTWRITEBYTECODE: '1' },
    })
    expect([ran.status, ran.stderr.replace(/^(?!Traceback|.*Error).*$/gm, '').trim()]).toEqual([0, ''])
    expect(existsSync(join(home, 'var', last(home), 'report.json'))).toBe(true)
  })
})

describe('night.sh', () => {
  test('chains the nights, keeps no copy of the records, and goes on with a night that was killed', () => {
    const home = place()
    const first = runNight(home)
    expect([first.status, first.stderr.includes('assay:')]).toEqual([0, false])
    const before = last(home)
    const at = rows.label.indexOf('cat')
    writeFileSync(join(home, 'store.csv'), csv({ ...rows, label: rows.label.map((l, i) => (i === at ? 'dog' : l)) }))
    // A night that was stopped after its plan was made.
    const killed = '20260101-023000'
    writeFileSync(join(home, 'var/current'), `${killed}\n`)
    const args = [
      'audit',
      join(home, 'etc/pipeline.yaml'),
      '--only',
      'label-flip',
      '--baseline',
      join(home, 'var', before, 'snapshot'),
      '--run-dir',
      join(home, 'var', killed),
    ]
    spawnSync('node', [join(root, 'dist/cli/bin.js'), 'plan', ...args.slice(1)], { encoding: 'utf8', env })
    const second = runNight(home)
    expect([second.status, last(home), existsSync(join(home, 'var/current'))]).toEqual([0, killed, false])
    const report = JSON.parse(readFileSync(join(home, 'var', killed, 'report.json'), 'utf8')) as {
      provenance: { changes: { counts: { relabelled: number } } }
    }
    expect(report.provenance.changes.counts.relabelled).toBe(1)
    expect(existsSync(join(home, 'var', killed, 'spool'))).toBe(false)
    rmSync(home, { recursive: true })
  })

  test('says how it is called', () => {
    expect(spawnSync('bash', [join(folder, 'night.sh')], { encoding: 'utf8' })).toMatchObject({
      status: 4,
      stderr: expect.stringContaining('usage'),
    })
  })
})
