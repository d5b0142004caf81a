import { spawn } from 'node:child_process'

/** Ends a server, and removes its folder, when this process ends without having done so. */
export interface Guardian {
  /** There is nothing left to end. */
  dismiss(): void
}

/**
 * A shell waits for the end of a pipe, which comes with the end of this process, whatever ends it. It finds the server
 * by the id in its data folder, and asks for the quickest way to end all of its processes.
 */
const SCRIPT = `read -r word && [ "$word" = dismissed ] && exit
pid=$(head -n 1 "$1/data/postmaster.pid") && kill -CONT "$pid" && kill -QUIT "$pid"
while kill -0 "$pid"; do sleep 0.1; done
# Whoever was setting it up may still write.
until rm -rf "$1"; do sleep 0.1; done`

/**
 * @param folder of the server, with its data folder `data` in it
 */
export function guard(folder: string): Guardian {
  const shell = spawn('sh', ['-c', SCRIPT, 'sh', folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  // Without a shell, as on Windows, nobody keeps watch.
  shell.on('error', () => {})
  shell.stdin.on('error', () => {})
  shell.unref()
  if ('unref' in shell.stdin && typeof shell.stdin.unref === 'function') shell.stdin.unref()
  return { dismiss: () => void shell.stdin.end('dismissed\n') }
}
