import { describe, expect, it } from "vitest";

import { pathOf, routeOf } from "./route";
import { ago } from "./time";

describe("paths", () => {
  it.each([["/", "home"], ["/purses", "purses"], ["/purses/12", "purse"], ["/offline", "offline"], ["/trust", "trust"], ["/purses/0", "home"], ["/purses/12/x", "home"], ["/else", "home"]])("%s is %s", (path, page) => {
    expect(routeOf(path).page).toBe(page);
  });
  it.each(["/", "/purses", "/purses/12", "/offline", "/trust"])("%s is found again", (path) => {
    expect(pathOf(routeOf(path))).toBe(path);
  });
});

describe("how long ago", () => {
  const now = new Date("2026-01-08T00:00:00Z");
  it.each([
    ["2026-01-05T00:00:00Z", "3 days ago", "3天前"],
    ["2026-01-07T22:30:00Z", "1 hour ago", "1小时前"],
    ["2026-01-10T00:00:00Z", "in 2 days", "后天"],
  ])("%s", (at, english, chinese) => {
    expect([ago("en", new Date(at), now), ago("zh", new Date(at), now)]).toEqual([english, chinese]);
  });
});
