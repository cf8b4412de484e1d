import { readdir, readFile, readlink } from 'node:fs/promises';

/** Local ports of a process's TCP connections over IPv4, as their other end sees them; none where there is no /proc. */
export async function localPortsOf(pid: number): Promise<number[]> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = await Promise.all(descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  const sockets = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const lines = (await readFile(`/proc/${pid}/net/tcp`, 'utf8').catch(() => '')).split('\n').slice(1);
  return lines.flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    return sockets.has(fields[9] ?? '') ? [Number.parseInt(fields[1]?.split(':')[1] ?? '0', 16)] : [];
  });
}
