import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { screenshot, type TestConsole, type Window } from "./console.ts";

const wcag = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
/** Milliseconds to the largest paint that are good enough, and loads in which it must be reached once. */
const goodPaint = 1500;
const loads = 4;

interface Timings {
  readonly paint: number;
  readonly shift: number;
}

/** Watches largest paints and layout shifts from the first moment of each page on. */
const watch = `
  window.timings = { paint: 0, shift: 0 };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.timings.paint = entry.startTime;
  }).observe({ type: "largest-contentful-paint", buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.timings.shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });`;

/** Waits until nothing more is on its way, and reads what was seen. */
async function timingsOf(page: Page, path: string): Promise<Timings> {
  await page.goto(path);
  await settled(page);
  return page.evaluate<Timings>("window.timings");
}

async function settled(page: Page): Promise<void> {
  await page.waitForLoadState("load");
  await page.locator('[role="status"][aria-label]').first().waitFor({ state: "detached" });
  await page.waitForTimeout(300);
}

/**
 * Looks at a page in light and dark, and as wide as a telephone: WCAG AA by axe, the largest paint in less than 1.5 s,
 * nothing that shifts, nothing wider than the window, no error in the browser's console; and takes screenshots.
 */
export async function checkPage(console: TestConsole, path: string, name: string): Promise<void> {
  const { context, page, problems } = await console.signIn({ viewport: { width: 1280, height: 860 } });
  await context.addInitScript(watch);
  let best: Timings | undefined;
  for (let load = 0; load < loads && !(best && best.paint < goodPaint); load++) {
    const timings = await timingsOf(page, path);
    expect(timings.shift, `layout shift of ${path}`).toBe(0);
    if (!best || timings.paint < best.paint) best = timings;
  }
  expect(best!.paint, `largest paint of ${path}, in milliseconds`).toBeLessThan(goodPaint);
  expect(best!.paint).toBeGreaterThan(0);
  process.stdout.write(
    `${path}: largest paint after ${Math.round(best!.paint)} ms, layout shift ${best!.shift}\n`,
  );
  await screenshot(page, `${name}-light`);
  await expectAccessible(page, `${path} in light`);
  await page.emulateMedia({ colorScheme: "dark" });
  await screenshot(page, `${name}-dark`);
  await expectAccessible(page, `${path} in dark`);
  expect(problems).toEqual([]);
  await context.close();
  await checkNarrow(console, path, name);
}

async function checkNarrow(console: TestConsole, path: string, name: string): Promise<void> {
  const telephone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
  const { context, page, problems }: Window = await console.signIn({ ...telephone, deviceScaleFactor: 2 });
  await page.goto(path);
  await settled(page);
  expect(await page.evaluate<number>("document.documentElement.scrollWidth"), `width of ${path}`).toBe(390);
  await expectAccessible(page, `${path} on a telephone`);
  await screenshot(page, `${name}-phone`);
  expect(problems).toEqual([]);
  await context.close();
}

/** WCAG 2.2 AA as far as axe can tell. */
export async function expectAccessible(page: Page, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(wcag).analyze();
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join("\n  ")}`);
  expect(told, where).toEqual([]);
}
