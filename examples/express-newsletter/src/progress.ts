const WIDTH = 30;

/** A bar on a terminal; a line every 20 percent where the output is a file. */
export function progressBar(): (done: number, total: number, note: string) => void {
  const terminal = process.stdout.isTTY;
  let shown = -1;
  return function show(done, total, note) {
    const share = total === 0 ? 0 : done / total;
    const step = terminal ? done : Math.floor(share * 5);
    if (step === shown) return;
    shown = step;
    const full = Math.round(share * WIDTH);
    const bar = `  ${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${done}/${total}  ${note}`;
    process.stdout.write(terminal ? `\r\u001b[2K${bar}${done === total ? '\n' : ''}` : `${bar}\n`);
  };
}
