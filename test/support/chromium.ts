import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Where Debian's package has it. */
const CHROMIUM = '/usr/bin/chromium';

/** The window of who sits at a desk. */
export const DESK = { width: 1360, height: 850 };

export function hasChromium(): boolean {
  return existsSync(CHROMIUM);
}

export function openChromium(): Promise<Browser> {
  // As root Chromium refuses its sandbox.
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
